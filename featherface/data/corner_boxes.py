"""Boxes written as two corners and read as corner and size: their sign is that they leave pictures.

SCRFD's labels hold x1 y1 x2 y2 where RetinaFace's, from which they are made, hold x y w h; COCO's
boxes are written so by mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featherface.data.annotation import ImageAnnotation

FEWEST = 5
"""Boxes from which anything can be told."""
LEAVING = 0.2
"""Share of boxes that leave their pictures, from which they are not believed."""
FITTING = 0.95
"""Share of boxes that must lie in their pictures when they are read as corners."""
SLACK = 0.1
"""Of a picture's side: so far boxes reach beyond it, since faces are cut off by edges."""


def check_sizes(
    images: Sequence[ImageAnnotation], sizes: Sequence[tuple[int, int]], file: Path
) -> None:
    """Refuse the boxes of IMAGES, whose pictures have SIZES (width, height), if they are corners.

    Raises:
        DataError: read as sizes many leave their pictures, read as corners hardly any.
    """
    boxes = np.concatenate([image.boxes for image in images] or [np.zeros((0, 4), np.float32)])
    if len(boxes) < FEWEST:
        return
    ends = np.repeat(np.asarray(sizes, dtype=np.float64), [len(i.boxes) for i in images], axis=0)
    leaving = ~_inside(boxes, ends)
    corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    growing = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    fitting = growing & _inside(corners, ends)
    if leaving.mean() > LEAVING and fitting.mean() >= FITTING:
        raise DataError(
            f"{file}: its boxes are corners (x1 y1 x2 y2), not x y width height: read as sizes,"
            f" {int(leaving.sum()):,} of {len(boxes):,} leave their picture; read as corners,"
            f" {int(fitting.sum()):,} lie within it",
            "write them as sizes first: thesis data convert ROOT OUT --to widerface --boxes corners"
            " (with --split and --annotation where you gave them)",
        )


def _inside(boxes: NDArray[np.floating], ends: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell (n,) which BOXES (n, 4; corners) end within pictures of width and height ENDS (n, 2)."""
    return np.asarray((boxes[:, 2:] <= ends * (1 + SLACK)).all(axis=1))
