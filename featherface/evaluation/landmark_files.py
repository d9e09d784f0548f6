"""Files of detected landmarks, which the official prediction format has no place for.

`event/name.landmarks` holds a line of ten numbers, x y of left eye, right eye, nose, left and right
mouth corner in pixels, for each line of `event/name.txt`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from featherface.errors import DataError
from featherface.filesystem.atomic import LONGEST, shortened, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

ENDING = ".landmarks"
VALUES = 10


def write_landmarks(folder: Path, name: str, landmarks: NDArray[np.floating]) -> None:
    """Write the points (n, 10) of picture NAME, to a hundredth of a pixel."""
    rows = [" ".join(f"{value:.2f}" for value in row) for row in landmarks.tolist()]
    write_atomic(_file(folder, name), "".join(f"{row}\n" for row in rows))


def read_landmarks(folder: Path, name: str) -> NDArray[np.float64] | None:
    """Read the points (n, 10) of picture NAME; None where there are none in FOLDER.

    Raises:
        DataError: the file is damaged.
    """
    try:
        text = _file(folder, name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    rows = [line.split() for line in text.splitlines()]
    try:
        points = np.array(rows, dtype=np.float64).reshape(-1, VALUES)
    except ValueError:
        points = np.full((1, VALUES), np.nan)
    if len(points) != len(rows) or not np.isfinite(points).all():
        raise DataError(
            f"{_file(folder, name)} does not hold ten numbers on each line",
            "remove it, and look at the pictures again",
        )
    return points


def read_all_landmarks(folder: Path, names: Iterable[str]) -> dict[str, NDArray[np.float64]]:
    """Read the points of those pictures in NAMES that have a file in FOLDER."""
    landmarks = {name: read_landmarks(folder, name) for name in names}
    return {name: points for name, points in landmarks.items() if points is not None}


def _file(folder: Path, name: str) -> Path:
    """Name the file of picture NAME; what is too long for a name ends in its digest instead."""
    event, _, stem = name.rpartition("/")
    if len(f"{stem}{ENDING}".encode()) > LONGEST:
        digest = hashlib.sha256(stem.encode("utf-8")).hexdigest()[:16]
        stem = f"{shortened(stem, LONGEST - len(ENDING) - len(digest) - 1)}-{digest}"
    return folder / event / f"{stem}{ENDING}"
