"""Non-maximum suppression of crowds: thousands of boxes in tenths of a second, in plain NumPy.

Every detection of the program goes through here. Gives what the plain greedy loop gives (a test
holds the two equal), but compares a box only with those whose middle lies near enough to overlap
it that much. Tensors are turned into arrays where the network's output is decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEADERS = 512  # boxes that are decided together
_PAIRS = 2**20  # of boxes compared together, unless one leader has more: 8 MiB an array


def suppress(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], threshold: float
) -> NDArray[np.intp]:
    """Give the rows of BOXES (n, 4; corners in pixels) that stay, best score first.

    A box goes when it overlaps a better one that stays by more than THRESHOLD, in (0, 1]. Sides
    count one pixel more than the difference of their corners, which must not be negative.
    """
    order, leader = _groups(boxes, scores, threshold)
    kept: NDArray[np.intp] = order[leader == np.arange(len(order))]
    return kept


def group(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], threshold: float
) -> NDArray[np.intp]:
    """Give for each box (n,) the row of the one that stays in its place; see `suppress`."""
    order, leader = _groups(boxes, scores, threshold)
    owner = np.empty(len(order), dtype=np.intp)
    owner[order] = order[leader]
    return owner


def _groups(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the rows, best score first, and for each the place there of what suppresses it."""
    order = np.argsort(-scores, kind="stable")
    corners = boxes[order].astype(np.float64).T  # (4, n), best first
    alive = np.arange(len(order))
    leader = np.arange(len(order))
    while alive.size:
        better, worse, decided = _near(corners[:, alive], threshold)
        over = _overlap(corners[:, alive[better]], corners[:, alive[worse]]) > threshold
        first = _decide(better[over], worse[over], alive.size, decided)
        leader[alive] = alive[first]
        stays = first == np.arange(alive.size)
        alive = alive[decided:][stays[decided:]]
    return order, leader


def _near(
    corners: NDArray[np.float64], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """List the pairs (leader, worse box) of CORNERS (4, n) that may overlap by THRESHOLD.

    Overlapping by t needs widths w and v within a factor t of each other and shared width above
    t times the larger, so the middles are at most max(1 - t, (1 / t - 1) / 2) w apart. The
    number of leaders, first of the boxes, is the last answer.
    """
    middle = (corners[0] + corners[2]) / 2
    reach = (corners[2] - corners[0] + 1)[:_LEADERS] * max(1 - threshold, (1 / threshold - 1) / 2)
    sideways = np.argsort(middle, kind="stable")
    first = np.searchsorted(middle[sideways], middle[:_LEADERS] - reach)
    last = np.searchsorted(middle[sideways], middle[:_LEADERS] + reach, side="right")
    counts = np.maximum(last - first, 0)  # reach is below zero where a box is inside out
    total = np.cumsum(counts)
    leaders = max(int(np.searchsorted(total, _PAIRS, side="right")), 1)
    count = counts[:leaders]
    better = np.repeat(np.arange(leaders), count)
    before = total[:leaders] - count - first[:leaders]
    worse = sideways[np.arange(len(better)) - np.repeat(before, count)]
    later = worse > better
    return better[later], worse[later], leaders


def _overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the IoU (n,) of pairs of boxes (4, n)."""
    width = np.minimum(first[2], second[2]) - np.maximum(first[0], second[0]) + 1
    height = np.minimum(first[3], second[3]) - np.maximum(first[1], second[1]) + 1
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (first, second)]
    overlap: NDArray[np.float64] = shared / (areas[0] + areas[1] - shared)
    return overlap


def _decide(
    better: NDArray[np.intp], worse: NDArray[np.intp], boxes: int, leaders: int
) -> NDArray[np.intp]:
    """Go through the leaders in order; one that stays takes the boxes it overlaps for its own.

    The answer (n,) is each box's leader: itself where it stays, or is not decided yet.
    """
    owner = np.arange(boxes)
    starts = np.searchsorted(better, np.arange(leaders + 1)).tolist()
    for leader in range(leaders):
        if starts[leader] < starts[leader + 1] and owner[leader] == leader:
            near = worse[starts[leader] : starts[leader + 1]]
            owner[near[owner[near] == near]] = leader
    return owner
