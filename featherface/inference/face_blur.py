"""Faces made unrecognisable in a copy of their picture, so that nothing of them can be got back.

Every way first throws the detail away: of a face remain at most some four by four mean colours, or
none. A blur by a known kernel alone could be undone, and fine pixels still be recognised (McPherson
et al. 2016, https://arxiv.org/abs/1609.00408).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from featherface.geometry.detections import Detections

    Pixels = NDArray[np.uint8]

MARGIN = 0.3
"""Share of the longer side of a face that is covered around its box too: hair, ears, chin."""
POINT_MARGIN = 0.15
"""The same around each landmark, which may lie outside of the box."""
CELLS = 4
"""Along the longer side of a face; more could still be recognised."""
SMALLEST_CELL = 4
"""Pixels of a cell's side, on faces however small."""
GREY = 127


def _pixelated(part: Pixels, cell: int) -> Pixels:
    rows, columns = part.shape[:2]
    across = np.repeat(np.repeat(_means(part, cell), cell, 0), cell, 1)
    return np.ascontiguousarray(across[:rows, :columns])


def _smooth(part: Pixels, cell: int) -> Pixels:
    """Blend the cells' mean colours softly: no more is left than of `_pixelated`."""
    rows, columns = part.shape[:2]
    means = Image.fromarray(_means(part, cell))
    large = means.resize(
        (means.width * cell, means.height * cell), Image.Resampling.BILINEAR
    ).filter(ImageFilter.GaussianBlur(cell / 2))
    smooth: Pixels = np.asarray(large)[:rows, :columns]
    return smooth


def _filled(part: Pixels, cell: int) -> Pixels:
    del cell
    return np.full_like(part, GREY)


def _means(part: Pixels, cell: int) -> Pixels:
    """Return the mean colour of each cell of PART (H, W, 3), in whole numbers."""
    height, width = part.shape[:2]
    down, across = np.arange(0, height, cell), np.arange(0, width, cell)
    sums = np.add.reduceat(np.add.reduceat(part.astype(np.int64), down, 0), across, 1)
    sizes = np.outer(np.diff(down, append=height), np.diff(across, append=width))
    means: Pixels = (sums // sizes[:, :, None]).astype(np.uint8)
    return means


COVERS: dict[str, Callable[[Pixels, int], Pixels]] = {
    "pixelate": _pixelated,
    "gauss": _smooth,
    "fill": _filled,
}
"""For each of `BLUR_METHODS` what covers a part (H, W, 3), with cells of so many pixels."""


def blurred(image: Pixels, detections: Detections, method: str) -> Pixels:
    """Return a copy of IMAGE (H, W, 3) with all DETECTIONS covered by one of `BLUR_METHODS`.

    Where faces overlap, the second is covered over what is left of the first.
    """
    copy = image.copy()
    height, width = image.shape[:2]
    cover = COVERS[method]
    for box, landmarks in zip(detections.boxes, detections.landmarks, strict=True):
        left, top, right, bottom = covered_area(box, landmarks, width, height)
        if left < right and top < bottom:
            copy[top:bottom, left:right] = cover(copy[top:bottom, left:right], _cell(box))
    return copy


def covered_area(
    box: NDArray[np.float32], landmarks: NDArray[np.float32], width: int, height: int
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what is covered of a face: box and landmarks, with margin.

    Whole pixels within a picture of WIDTH x HEIGHT; empty where all of it lies outside.
    """
    side = max(float(np.max(box[2:] - box[:2])), 1.0)
    points = landmarks.reshape(5, 2).astype(np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    corners = box.reshape(2, 2).astype(np.float64)
    points = np.clip(points, corners[0] - side, corners[1] + side)  # a stray one covers no street
    low = np.vstack([corners - MARGIN * side, points - POINT_MARGIN * side]).min(axis=0)
    high = np.vstack([corners + MARGIN * side, points + POINT_MARGIN * side]).max(axis=0)
    limit = np.array((width, height))
    left, top = np.clip(np.floor(low), 0, limit).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high), 0, limit).astype(int).tolist()
    return left, top, right, bottom


def _cell(box: NDArray[np.float32]) -> int:
    side = float(np.max(box[2:] - box[:2]))
    return max(int(np.ceil(side / CELLS)), SMALLEST_CELL)
