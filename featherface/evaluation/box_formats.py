"""Boxes in another format than x y width height in pixels, told by reading them in that format.

A format is named only where faces confirm it: read so, far more detections lie on faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.evaluation.overlaps import IOU, assign, overlaps

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from featherface.evaluation.matching import Pairing

    Boxes = NDArray[np.float64]
    """(n, 4)."""

FEWEST = 10
"""Detections, and faces, below which readings are good by chance."""
LEAST = 0.2
"""Share of strongest detections on faces that a reading must reach."""
TIMES = 3.0
"""How many times more that must be than as they are read now."""
SHARES = 1.5
"""Largest value of boxes that are shares of a picture; faces are cut off by edges."""
TYPICAL = 0.99
"""Share of the values that must be below that: some boxes go far."""
SEEN = 40
"""Strongest detections, and faces, of a picture from which its scale is told."""
TRIED = 60
"""Pictures from which that is told."""
ANCHORS = 4
"""Detections of a picture that are tried on each of its faces."""


@dataclass(frozen=True)
class OtherFormat:
    """How boxes are probably written."""

    what: str
    mend: str
    share: float
    """Of the strongest detections: those on faces when they are read so."""


def _as_corners(boxes: Boxes) -> Boxes:
    return np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])


def _as_centred(boxes: Boxes) -> Boxes:
    return np.hstack([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]])


def _as_they_are(boxes: Boxes) -> Boxes:
    return boxes


READINGS: tuple[tuple[str, str, Callable[[Boxes], Boxes]], ...] = (
    ("corners (x1 y1 x2 y2)", "x1, y1, x2 - x1, y2 - y1", _as_corners),
    ("centres (cx cy width height)", "cx - width / 2, cy - height / 2, width, height", _as_centred),
)
"""What boxes may be, how to write them instead, and how to read them."""
OF_SHARES = (("x y width height", _as_they_are), *((what, read) for what, _, read in READINGS))


def share_on_faces(pairing: Pairing, boxes: Boxes) -> float:
    """Return which share of the strongest detections lies on a face, if they have these BOXES.

    The strongest: as many as there are faces.
    """
    rows = _strongest(pairing)
    if not len(rows):
        return 0.0
    picture = pairing.picture[rows]
    found = assign(boxes[rows], picture, pairing.faces, pairing.face_picture)
    return float((found >= 0).mean())


def other_format(pairing: Pairing, share: float) -> OtherFormat | None:
    """Return the format in which far more detections lie on faces than SHARE; None without one."""
    boxes = pairing.table[:, :4]
    if min(len(boxes), len(pairing.faces)) < FEWEST:
        return None
    in_shares = float(np.quantile(np.abs(boxes), TYPICAL)) <= SHARES
    found = _scaled(pairing, OF_SHARES, "shares of the picture") if in_shares else _plain(pairing)
    if not in_shares and not _is_far_better(found, share):
        found = _scaled(pairing, OF_SHARES[:1], "")
    return found if found and _is_far_better(found, share) else None


def _is_far_better(found: OtherFormat, share: float) -> bool:
    return found.share >= max(LEAST, TIMES * share)


def _strongest(pairing: Pairing) -> NDArray[np.intp]:
    ranked = np.argsort(-pairing.scores, kind="stable")
    return np.asarray(ranked[: len(pairing.faces)])


def _plain(pairing: Pairing) -> OtherFormat:
    """Read boxes of pixels as corners and as centres; return the better reading."""
    tried = [
        OtherFormat(what, f"Write {mend}.", share_on_faces(pairing, read(pairing.table[:, :4])))
        for what, mend, read in READINGS
    ]
    return max(tried, key=lambda each: each.share)


def _scaled(
    pairing: Pairing, readings: tuple[tuple[str, Callable[[Boxes], Boxes]], ...], of: str
) -> OtherFormat:
    """Read boxes at the scale, another for each picture, at which most of them lie on faces.

    A scale is told by one detection and one face, which are then left out of the count.
    """
    mend = (
        "Multiply them by the picture's width and height."
        if of
        else "Multiply them by the picture's own width and height over the network's input's."
    )
    tried = []
    for what, read in readings:
        name = f"{of}, {what}" if of else "pixels of resized pictures, as the network saw them"
        tried.append(OtherFormat(name, mend, _share_at_best_scales(pairing, read)))
    return max(tried, key=lambda each: each.share)


def _share_at_best_scales(pairing: Pairing, read: Callable[[Boxes], Boxes]) -> float:
    crowded = np.flatnonzero(pairing.sizes > 1)
    chosen = crowded[:: max(1, len(crowded) // TRIED)]
    hits = total = 0
    boxes = read(pairing.table[:, :4])
    for picture in chosen:
        rows = np.flatnonzero(pairing.picture == picture)
        faces = pairing.faces[pairing.face_picture == picture]
        count = min(len(faces), SEEN)
        rows = rows[np.argsort(-pairing.scores[rows], kind="stable")[:count]]
        if len(rows) > 1:
            hits += max(_most_hits(boxes[rows], faces) - 1, 0)
            total += len(rows) - 1
    return hits / total if total >= FEWEST else 0.0


def _most_hits(boxes: Boxes, faces: Boxes) -> int:
    """Count the faces that BOXES lie on at the best scale of both axes.

    Scales are told by a box's and a face's middles, which lie far from the corner that stays where
    it is, and so tell more exactly than sizes; the two must then lie on one another.
    """
    first = boxes[:ANCHORS][(_middles(boxes[:ANCHORS]) > 0).all(axis=1)]
    largest = faces[np.argsort(-faces[:, 3], kind="stable")[:SEEN]]
    scales = (_middles(largest)[None] / _middles(first)[:, None]).reshape(-1, 2)
    anchors = np.repeat(first, len(largest), axis=0) * np.tile(scales, 2)
    fitting = overlaps(anchors, np.tile(largest, (len(first), 1))) >= IOU
    return max((_hits(boxes * np.tile(scale, 2), faces) for scale in scales[fitting]), default=0)


def _middles(boxes: Boxes) -> NDArray[np.float64]:
    return np.asarray(boxes[:, :2] + boxes[:, 2:] / 2)


def _hits(boxes: Boxes, faces: Boxes) -> int:
    """Count the faces on which one of BOXES lies."""
    one = np.zeros(len(boxes), dtype=np.intp)
    found = assign(boxes, one, faces, np.zeros(len(faces), dtype=np.intp))
    return len(np.unique(found[found >= 0]))
