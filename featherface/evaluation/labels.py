"""Attributes and landmarks of the annotated faces, aligned with the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.data.annotation import ATTRIBUTES, UNKNOWN
from featherface.evaluation.names import picture_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from featherface.data.annotation import ImageAnnotation
    from featherface.evaluation.matching import Pairing

Key = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FaceLabels:
    """What is known of the faces (F) of a pairing."""

    attributes: NDArray[np.int64]
    """(F, 6) in the order of ATTRIBUTES; UNKNOWN where nobody tells."""
    landmarks: NDArray[np.float64]
    """(F, 10) x y of eyes, nose and mouth corners in pixels; NaN where unknown."""


def label(pairing: Pairing, annotations: Iterable[ImageAnnotation]) -> FaceLabels:
    """Find the faces of PAIRING in ANNOTATIONS: same picture, same box to the pixel.

    Several annotations of a face complete each other; what the first tells stands.
    """
    labels = FaceLabels(
        np.full((len(pairing.faces), len(ATTRIBUTES)), UNKNOWN, dtype=np.int64),
        np.full((len(pairing.faces), 10), np.nan),
    )
    rows = _rows(pairing)
    for image in annotations:
        known = rows.get(picture_name(image.path))
        if known:
            _fill(labels, known, image)
    return labels


def spread_landmarks(
    pairing: Pairing, landmarks: Sequence[NDArray[np.float64] | None]
) -> NDArray[np.float64]:
    """Lay the detected points of each picture (n, 10) beside the detections (D, 10).

    NaN where a picture has none, or not as many as detections.
    """
    counts = np.bincount(pairing.picture, minlength=len(pairing.images))
    parts = [
        np.full((count, 10), np.nan) if points is None or len(points) != count else points
        for count, points in zip(counts.tolist(), landmarks, strict=True)
    ]
    return np.concatenate(parts) if parts else np.empty((0, 10))


def _rows(pairing: Pairing) -> dict[str, dict[Key, int]]:
    """Give per picture box -> row of the face."""
    rows: dict[str, dict[Key, int]] = {name: {} for name in pairing.images}
    keys = np.rint(pairing.faces).astype(np.int64).tolist()
    for row, (key, picture) in enumerate(zip(keys, pairing.face_picture.tolist(), strict=True)):
        rows[pairing.images[picture]].setdefault(tuple(key), row)
    return rows


def _fill(labels: FaceLabels, rows: dict[Key, int], image: ImageAnnotation) -> None:
    corners = image.boxes.astype(np.float64)
    boxes = np.rint(np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]]))
    for place, box in enumerate(boxes.astype(np.int64).tolist()):
        row = rows.get(tuple(box))
        if row is None:
            continue
        if (labels.attributes[row] == UNKNOWN).all():
            labels.attributes[row] = image.attributes[place]
        if np.isnan(labels.landmarks[row]).all():
            labels.landmarks[row] = image.landmarks[place]
