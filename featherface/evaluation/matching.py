"""Matching detections to faces over a whole set, the basis of every count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.errors import DataError
from featherface.evaluation.overlaps import assign, overlaps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featherface.evaluation.ground_truth import GroundTruth


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairing:
    """All detections (D) and all faces (F) of a set, and which belong together."""

    images: tuple[str, ...]
    """Names of the I pictures."""
    table: NDArray[np.float64]
    """(D, 5): x, y, width, height, score, picture by picture in file order."""
    picture: NDArray[np.intp]
    """(D,): row of the detection's picture."""
    face: NDArray[np.intp]
    """(D,): row of the face that the detection covers best, by an IoU of at least 0.5; else -1."""
    faces: NDArray[np.float64]
    """(F, 4): x, y, width, height."""
    face_picture: NDArray[np.intp]
    """(F,): row of the face's picture."""
    asked: Mapping[str, NDArray[np.bool_]]
    """Per subset (F,): the faces that count; the others are ignored."""

    @property
    def scores(self) -> NDArray[np.float64]:
        """(D,): as the detector gave them."""
        return self.table[:, 4]

    @property
    def overlap(self) -> NDArray[np.float64]:
        """(D,): IoU with the face that a detection lies on; 0 where it lies on none."""
        matched = np.zeros(len(self.face))
        on = self.face >= 0
        matched[on] = overlaps(self.table[on, :4], self.faces[self.face[on]])
        return matched

    @property
    def sizes(self) -> NDArray[np.intp]:
        """(I,): faces of each picture."""
        return np.bincount(self.face_picture, minlength=len(self.images))

    def counted(self, subset: str) -> NDArray[np.bool_]:
        """Mark the detections (D,) that are right or wrong in SUBSET.

        Those on faces that it does not ask for, and those in pictures without any face, are
        neither.
        """
        wanted = np.append(self.asked[subset], [True])  # the last one is `no face`
        return np.asarray(wanted[self.face] & (self.sizes > 0)[self.picture])

    def finders(self) -> NDArray[np.intp]:
        """Give for each face (F,) the row of the surest detection on it; -1 where there is none."""
        on = np.flatnonzero(self.face >= 0)
        ranked = on[np.argsort(-self.scores[on], kind="stable")]
        faces = np.full(len(self.faces), -1, dtype=np.intp)
        first = np.unique(self.face[ranked], return_index=True)
        faces[first[0]] = ranked[first[1]]
        return faces


def pair(predictions: Mapping[str, NDArray[np.float64]], truth: GroundTruth) -> Pairing:
    """Join PREDICTIONS, an entry (n, 5) for every picture of TRUTH, and its faces.

    Raises:
        DataError: a value is not finite.
    """
    tables = [np.reshape(predictions[name], (-1, 5)) for name in truth.images]
    table = np.concatenate(tables, dtype=np.float64)
    rows = np.arange(len(tables))
    picture = np.repeat(rows, [len(part) for part in tables])
    wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(wrong):
        raise DataError(
            f"a detection of {truth.images[picture[wrong[0]]]} is not finite: {table[wrong[0]]}",
            "check the weights: a diverged training gives such numbers",
        )
    faces = np.concatenate(truth.boxes)
    face_picture = np.repeat(rows, [len(boxes) for boxes in truth.boxes])
    return Pairing(
        images=truth.images,
        table=table,
        picture=picture,
        face=assign(table[:, :4], picture, faces, face_picture),
        faces=faces,
        face_picture=face_picture,
        asked={name: _asked(truth, kept) for name, kept in truth.subsets.items()},
    )


def _asked(truth: GroundTruth, kept: tuple[NDArray[np.intp], ...]) -> NDArray[np.bool_]:
    """Mark the faces (F,) that a subset asks for, over the whole set."""
    sizes = np.array([len(boxes) for boxes in truth.boxes])
    starts = np.repeat(np.cumsum(sizes) - sizes, [len(rows) for rows in kept])
    asked = np.zeros(sizes.sum(), dtype=np.bool_)
    asked[np.concatenate(kept) + starts] = True
    return asked
