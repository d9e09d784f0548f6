"""Which face each detection overlaps by at least half, over a whole set at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

IOU = 0.5
"""Overlap from which a detection belongs to a face."""

_PAIRS = 2**19  # detection-face pairs looked at together: 4 MiB an array


def assign(
    boxes: NDArray[np.float64],
    picture: NDArray[np.intp],
    faces: NDArray[np.float64],
    face_picture: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Give each box (D, 4) the row of the face (F, 4) it covers best, or -1 below an IoU of 0.5.

    Boxes are x, y, width, height; PICTURE (D,) and FACE_PICTURE (F,) tell where each lies. Of
    equal overlaps the first face wins.
    """
    order, first, number = _candidates(boxes, picture, faces, face_picture)
    best = np.full(len(boxes), -1, dtype=np.intp)
    for rows in _chunks(number):
        box, face = _pairs(rows, first, number, order)
        if not len(box):
            continue
        overlap = overlaps(boxes[box], faces[face])
        near = overlap >= IOU
        box, face, overlap = box[near], face[near], overlap[near]
        ranked = np.lexsort((face, -overlap, box))
        owner, where = np.unique(box[ranked], return_index=True)
        best[owner] = face[ranked[where]]
    return best


def overlaps(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the IoU (n,) of the boxes (n, 4) in FIRST with those in SECOND, pair by pair.

    Corners are x and x + width, and sides count one pixel more than their difference, as in the
    public Python port of the WIDER FACE evaluation.
    """
    left, top, right, bottom = _corners(first)
    left2, top2, right2, bottom2 = _corners(second)
    width = np.minimum(right, right2) - np.maximum(left, left2) + 1
    height = np.minimum(bottom, bottom2) - np.maximum(top, top2) + 1
    shared = np.where((width > 0) & (height > 0), width * height, 0.0)
    areas = (right - left + 1) * (bottom - top + 1)
    areas2 = (right2 - left2 + 1) * (bottom2 - top2 + 1)
    iou = np.zeros(len(shared))
    np.divide(shared, areas + areas2 - shared, out=iou, where=shared > 0)
    return iou


def _corners(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (n, 4) x, y, width, height into (4, n) left, top, right, bottom."""
    corners = boxes.T.copy()
    corners[2:] += corners[:2]
    return corners


def _candidates(
    boxes: NDArray[np.float64],
    picture: NDArray[np.intp],
    faces: NDArray[np.float64],
    face_picture: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Find the faces that may overlap each box by half.

    Half of the union means at least half of the face's width, so the face's middle lies between
    the box's sides. Sorted by picture and middle, these faces are neighbours: `order` gives
    their rows, `first` (D,) and `number` (D,) say which of `order` are a box's own.
    """
    middle = faces[:, 0] + (faces[:, 2] + 1) / 2
    lowest, highest = (middle.min() - 2, middle.max() + 2) if len(middle) else (0.0, 0.0)
    span = highest - lowest + 1  # pictures lie so far apart on one axis
    order = np.argsort(middle - lowest + face_picture * span, kind="stable")
    axis = (middle - lowest + face_picture * span)[order]
    left = np.clip(boxes[:, 0] - 1, lowest, highest) - lowest + picture * span  # 1 for rounding
    right = np.clip(boxes[:, 0] + boxes[:, 2] + 2, lowest, highest) - lowest + picture * span
    first = np.searchsorted(axis, left)
    return order, first, np.maximum(np.searchsorted(axis, right, side="right") - first, 0)


def _chunks(number: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Cut the boxes into runs of about _PAIRS pairs: rows of the boxes that have any."""
    rows = np.flatnonzero(number)
    if not len(rows):
        return
    group = np.cumsum(number[rows]) // _PAIRS
    yield from np.split(rows, np.flatnonzero(np.diff(group)) + 1)


def _pairs(
    rows: NDArray[np.intp],
    first: NDArray[np.intp],
    number: NDArray[np.intp],
    order: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List box and face of every candidate pair of the boxes in ROWS."""
    counts = number[rows]
    start = np.cumsum(counts) - counts
    place = np.arange(counts.sum()) - np.repeat(start - first[rows], counts)
    return np.repeat(rows, counts), order[place]
