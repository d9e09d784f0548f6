"""The worst failures: large faces that were missed, false alarms of high score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.evaluation.breakdown import best_scores
from featherface.evaluation.overlaps import IOU, overlaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featherface.evaluation.matching import Pairing

Box = tuple[float, float, float, float]

UNSEEN, UNSURE, LOOSE, TAKEN = "unseen", "unsure", "loose", "taken"
"""Why a face is missed: nothing lies on it; what lies on it scores too low; a sure box overlaps it
by less than half, or by more but covers another face better still."""
DOUBLE, BACKGROUND = "double", "background"
"""What a false alarm is: a second box on a face; a box where no face is labelled, which may be one
all the same. It may be `loose` too."""
TOUCHING = 0.1
"""IoU from which a box is a loose one on a face, rather than one beside it."""


@dataclass(frozen=True)
class Failure:
    """One mistake."""

    picture: str
    """`event/stem`."""
    box: Box
    """x, y, width, height in pixels: of the face missed, or of the false alarm."""
    kind: str
    score: float | None
    """Of the false alarm; of the surest detection on a missed face, None where there is none."""
    overlap: float
    """Of a missed face with the best box that is sure enough; of a false alarm with the nearest
    face. 0..1."""
    face: int | None = None
    """Row of the missed face in the pairing."""


def worst_misses(pairing: Pairing, subset: str, score: float, limit: int) -> list[Failure]:
    """List the largest faces of SUBSET that no detection of at least SCORE finds, at most LIMIT."""
    best = best_scores(pairing)
    missed = np.flatnonzero(pairing.asked[subset] & (best < score))
    ranked = missed[np.argsort(-pairing.faces[missed, 3], kind="stable")][:limit]
    return [_miss(pairing, int(row), best, score) for row in ranked]


def worst_false_alarms(pairing: Pairing, subset: str, score: float, limit: int) -> list[Failure]:
    """List the surest detections that found no face of their own in SUBSET, at most LIMIT."""
    finders = pairing.finders()
    right = np.zeros(len(pairing.scores), dtype=np.bool_)
    right[finders[finders >= 0]] = True
    wrong = np.flatnonzero(pairing.counted(subset) & ~right & (pairing.scores >= score))
    ranked = wrong[np.argsort(-pairing.scores[wrong], kind="stable")][:limit]
    return [_false_alarm(pairing, int(row)) for row in ranked]


def _miss(pairing: Pairing, row: int, best: NDArray[np.float64], score: float) -> Failure:
    here = pairing.picture == pairing.face_picture[row]
    sure = pairing.table[here & (pairing.scores >= score), :4]
    near = _nearest(pairing.faces[row], sure)
    known = bool(np.isfinite(best[row]))
    placed = TAKEN if near >= IOU else LOOSE if near >= TOUCHING else UNSEEN
    return Failure(
        picture=pairing.images[pairing.face_picture[row]],
        box=_box(pairing.faces[row]),
        kind=UNSURE if known else placed,
        score=float(best[row]) if known else None,
        overlap=near,
        face=row,
    )


def _false_alarm(pairing: Pairing, row: int) -> Failure:
    here = pairing.face_picture == pairing.picture[row]
    near = _nearest(pairing.table[row, :4], pairing.faces[here])
    on = pairing.face[row] >= 0
    return Failure(
        picture=pairing.images[pairing.picture[row]],
        box=_box(pairing.table[row]),
        kind=DOUBLE if on else LOOSE if near >= TOUCHING else BACKGROUND,
        score=float(pairing.scores[row]),
        overlap=near,
    )


def _nearest(box: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Return the best IoU of BOX with OTHERS (n, 4); 0 where there are none."""
    if not len(others):
        return 0.0
    return float(overlaps(np.broadcast_to(box[:4], others.shape), others).max())


def _box(row: NDArray[np.float64]) -> Box:
    x, y, width, height = row[:4].tolist()
    return x, y, width, height
