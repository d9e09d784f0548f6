"""Annotations of pictures: boxes, landmarks and attributes as arrays, whatever their file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

ATTRIBUTES = ("blur", "expression", "illumination", "invalid", "occlusion", "pose")
"""Columns of `ImageAnnotation.attributes`, in WIDER FACE's order and codes."""
UNKNOWN = -1
"""Attribute value where the file does not tell."""

ABSENT = -1
"""Both coordinates of a landmark that the file does not have."""

ZERO_SIZE = "box of zero size"
OUTSIDE = "box outside the picture"
MISSING = "picture missing"


@dataclass(frozen=True, eq=False)
class ImageAnnotation:
    """The faces of one picture."""

    path: str
    """Relative to the images folder, with forward slashes: `event/name.jpg`."""
    boxes: NDArray[np.float32]
    """(n, 4) left, top, right, bottom, pixels."""
    landmarks: NDArray[np.float32]
    """(n, 10) x y of left eye, right eye, nose, left and right mouth corner; NaN: unknown."""
    attributes: NDArray[np.int64]
    """(n, 6) in the order of ATTRIBUTES; UNKNOWN where the file does not tell."""

    def keep(self, faces: NDArray[np.bool_]) -> ImageAnnotation:
        """Return the annotation with the chosen FACES (n,) only."""
        return ImageAnnotation(
            self.path, self.boxes[faces], self.landmarks[faces], self.attributes[faces]
        )


@dataclass(frozen=True, eq=False)
class Annotations:
    """The pictures of a file, and how much was left out, by reason."""

    images: tuple[ImageAnnotation, ...]
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def faces(self) -> int:
        """Number of faces kept."""
        return sum(len(image.boxes) for image in self.images)


def safe_path(text: str, file: Path) -> str:
    """Do the same for a path that FILE names, where lines mean nothing.

    Raises:
        DataError: the path leaves the folder.
    """
    path = inner_path(text)
    if path is None:
        raise DataError(
            f"{file}: not a picture inside the images folder: {text[:80]!r}", "correct that name"
        )
    return path


def inner_path(text: str) -> str | None:
    """Normalise a relative path to forward slashes; None where it leaves the folder."""
    path = PurePosixPath(text.replace("\\", "/"))
    if not path.name or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return None
    return str(path)


def known_landmarks(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return POINTS (n, 10) with NaN for faces whose landmarks only fill their columns.

    Files that have no landmarks of a face write -1 or 0 in their place.
    """
    import numpy as np  # noqa: PLC0415 - importing this module stays cheap

    places = points.reshape(-1, 5, 2)
    absent = (places == ABSENT).all(axis=2).any(axis=1)
    filled = ((places == places[:, :1]) & (places <= 0)).all(axis=(1, 2))
    return np.where((absent | filled)[:, None], np.nan, points)


def collect(
    entries: Iterable[tuple[str, list[Any]]],
    left_out: Mapping[str, int] | None = None,
    *,
    corners: bool = False,
) -> Annotations:
    """Join (path, rows) pairs; a row holds x y w h, ten landmark and six attribute values.

    With CORNERS a row begins with x1 y1 x2 y2 instead. LEFT_OUT counts what the reader has left
    out before, by reason.
    """
    import numpy as np  # noqa: PLC0415 - importing this module stays cheap

    images, skipped = [], Counter[str]()
    for path, rows in entries:
        table = np.asarray(rows, dtype=np.float64).reshape(-1, 20)
        if corners:
            table[:, 2:4] -= table[:, :2]
        solid = (table[:, 2] > 0) & (table[:, 3] > 0)
        if not solid.all():
            skipped[ZERO_SIZE] += int((~solid).sum())
        table = table[solid]
        boxes = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], axis=1)
        images.append(
            ImageAnnotation(
                path,
                boxes.astype(np.float32),
                known_landmarks(table[:, 4:14]).astype(np.float32),
                table[:, 14:].astype(np.int64),
            )
        )
    return Annotations(tuple(images), skipped + Counter(left_out))
