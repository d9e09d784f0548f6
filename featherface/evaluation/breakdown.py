"""Recall broken down by event, face height and WIDER FACE's attributes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.data.annotation import ATTRIBUTES, UNKNOWN
from featherface.data.statistics import HEIGHT_EDGES
from featherface.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from featherface.evaluation.labels import FaceLabels
    from featherface.evaluation.matches import MatchRecords
    from featherface.evaluation.matching import Pairing

VALUES = {
    "blur": ("clear", "normal", "heavy"),
    "occlusion": ("none", "partial", "heavy"),
    "pose": ("typical", "atypical"),
    "illumination": ("normal", "extreme"),
    "expression": ("typical", "exaggerated"),
}
"""Attribute -> what its codes 0, 1, 2 mean, as WIDER FACE's readme says."""
EVENT, HEIGHT = "event", "height"
GROUPINGS = (HEIGHT, *VALUES, EVENT)
"""By what faces may be told apart."""


@dataclass(frozen=True)
class BreakdownRow:
    """The faces of one group."""

    group: str
    """`0--Parade`, `30-50` pixels, `heavy`, …; `unknown` where no annotation tells."""
    faces: int
    found: int
    """By a detection of at least the score asked for."""
    seen: int
    """By any detection, however unsure."""
    false: int | None = None
    """Detections of at least that score that found no face of their own; of events only."""
    ap: float | None = None
    """AP over the event's pictures; of events only, NaN where it has no face."""

    @property
    def recall(self) -> float:
        """Share of the faces found; NaN without faces."""
        return self.found / self.faces if self.faces else math.nan

    @property
    def recall_any(self) -> float:
        """Share of the faces with any detection on them; NaN without faces."""
        return self.seen / self.faces if self.faces else math.nan


def break_down(
    pairing: Pairing,
    matches: MatchRecords,
    labels: FaceLabels,
    *,
    by: str,
    subset: str,
    score: float,
) -> list[BreakdownRow]:
    """Count faces of SUBSET, and those found at SCORE, in each group of BY.

    Raises:
        UsageError: BY is none of `GROUPINGS`.
    """
    if by == EVENT:
        return _events(pairing, matches, subset, score)
    if by == HEIGHT:
        return _heights(pairing, subset, score)
    if by not in VALUES:
        raise UsageError(unknown("breakdown", by, GROUPINGS), f"choose from {', '.join(GROUPINGS)}")
    codes = labels.attributes[:, ATTRIBUTES.index(by)]
    named = dict(enumerate(VALUES[by])) | {UNKNOWN: "unknown"}
    masks = {name: codes == code for code, name in named.items()}
    return [row for row in _rows(pairing, masks, subset, score) if row.faces]


def _heights(pairing: Pairing, subset: str, score: float) -> list[BreakdownRow]:
    heights = pairing.faces[:, 3]
    ends = [*HEIGHT_EDGES[1:], math.inf]
    masks = {
        f"{low}-{high}" if math.isfinite(high) else f"{low}+": (heights >= low) & (heights < high)
        for low, high in zip(HEIGHT_EDGES, ends, strict=True)
    }
    return [row for row in _rows(pairing, masks, subset, score) if row.faces]


def _rows(
    pairing: Pairing, masks: dict[str, NDArray[np.bool_]], subset: str, score: float
) -> Iterator[BreakdownRow]:
    """Count in each group the faces, those found and those seen."""
    best = best_scores(pairing)
    for name, mask in masks.items():
        scores = best[mask & pairing.asked[subset]]
        yield BreakdownRow(
            name, len(scores), int((scores >= score).sum()), int((scores > -np.inf).sum())
        )


def best_scores(pairing: Pairing) -> NDArray[np.float64]:
    """Give for each face (F,) the highest score of a detection on it; -inf where there is none."""
    best = np.full(len(pairing.faces), -np.inf)
    on = pairing.face >= 0
    np.maximum.at(best, pairing.face[on], pairing.scores[on])
    return best


def _events(
    pairing: Pairing, matches: MatchRecords, subset: str, score: float
) -> list[BreakdownRow]:
    """Count in each event, which also has false alarms and an AP of its own."""
    of_picture = np.array([name.rpartition("/")[0] for name in pairing.images])
    names = list(dict.fromkeys(of_picture.tolist()))
    inside = np.array([of_picture == name for name in names])  # (E, I)
    masks = {name: mask[pairing.face_picture] for name, mask in zip(names, inside, strict=True)}
    sure = pairing.counted(subset) & (pairing.scores >= score)
    proposals = inside @ np.bincount(pairing.picture[sure], minlength=len(pairing.images))
    aps = matches.resampled_ap(subset, inside.astype(np.float64))
    rows = _rows(pairing, masks, subset, score)
    return [
        BreakdownRow(row.group, row.faces, row.found, row.seen, int(count) - row.found, float(ap))
        for row, count, ap in zip(rows, proposals, aps, strict=True)
    ]
