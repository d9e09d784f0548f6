"""Cut-out faces listed in a table, the source of copy-paste."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.data.annotation import known_landmarks, safe_path
from featherface.data.images import open_picture
from featherface.data.sample import Sample
from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FILE, PERSON = "file", "identity"
BOX = ("x", "y", "w", "h")
POINTS = tuple(
    f"{name}_{axis}"
    for name in ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
    for axis in "xy"
)


@dataclass(frozen=True, eq=False)
class Crop:
    """A picture with one face."""

    path: Path
    person: str
    """Who it is; empty where the table does not tell."""
    box: NDArray[np.float32]
    """(4,) corners in pixels."""
    landmarks: NDArray[np.float32]
    """(10,) in pixels, NaN where unknown."""

    def sample(self) -> Sample:
        """Return the picture with its face.

        Raises:
            DataError: the picture is missing or damaged.
        """
        return Sample(open_picture(self.path), self.box[None], self.landmarks[None])


def read_crops(table: Path) -> tuple[Crop, ...]:
    """Read a CSV of pictures: `file,x,y,w,h`, in pixels.

    The pictures lie beside the table, or in a folder `images` there.
    `identity` and five landmarks (`left_eye_x` to `right_mouth_y`) are taken where the columns
    are there; a face with an empty landmark has none.

    Raises:
        DataError: the table is missing, lacks a column, or holds what is no number; with its line.
    """
    inside = table.parent / "images"
    folder = inside if inside.is_dir() else table.parent
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in (FILE, *BOX) if name not in (rows.fieldnames or ())]
            if missing:
                raise DataError(f"{table} has no column {missing[0]!r}", f"it needs {HEADER}")
            crops = tuple(_crop(table, folder, rows.line_num, row) for row in rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"can't read the table {table}: {error}", f"it needs {HEADER}") from error
    if not crops:
        raise DataError(f"{table} lists no face", f"it needs {HEADER}")
    return crops


HEADER = f"a CSV with the columns {','.join((FILE, *BOX))}"


def _crop(table: Path, folder: Path, line: int, row: Mapping[str, str]) -> Crop:
    try:
        left, top, width, height = (float(row[name]) for name in BOX)
        points = [float(row.get(name) or "nan") for name in POINTS]
    except (TypeError, ValueError):
        raise DataError(f"{table}:{line}: not a list of numbers", "correct that line") from None
    box = np.array([left, top, left + width, top + height], dtype=np.float32)
    if not (np.isfinite(box).all() and width > 0 and height > 0):
        raise DataError(f"{table}:{line}: the face has no size", "correct that line")
    known = bool(np.isfinite(points).all())
    placed = np.array([points if known else [np.nan] * 10])
    landmarks = known_landmarks(placed)[0].astype(np.float32)
    path = folder / safe_path(row[FILE] or "", table)
    return Crop(path, row.get(PERSON) or "", box, landmarks)
