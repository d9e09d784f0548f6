"""Precision-recall curves and average precision, for many resamples at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

THRESHOLDS = 1000
"""Score thresholds of the protocol, from 0.999 down to 0 on normalised scores."""


def thresholds() -> NDArray[np.float64]:
    """Give the protocol's thresholds, descending, bit for bit as the public port computes them."""
    return 1 - np.arange(1, THRESHOLDS + 1) / THRESHOLDS


def score_levels(scores: NDArray[np.float64], low: float, high: float) -> NDArray[np.int32]:
    """Tell for each score the first threshold it reaches once [LOW, HIGH] became [0, 1].

    `THRESHOLDS` stands for none: so it is for every score when all are equal, as the port's
    division by zero has it.
    """
    if high == low:
        return np.full(len(scores), THRESHOLDS, dtype=np.int32)
    ascending = thresholds()[::-1]
    reached = np.searchsorted(ascending, (scores - low) / (high - low), side="right")
    return (THRESHOLDS - reached).astype(np.int32)


def precision_recall(
    hits: NDArray[np.float64], proposals: NDArray[np.float64], faces: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Divide counts (R, T) by proposals (R, T) and faces (R,): precision and recall (R, T).

    Precision without proposals is 0, as it is at recall 0; recall without faces is NaN.
    """
    precision = np.divide(hits, proposals, out=np.zeros_like(hits), where=proposals > 0)
    asked = np.where(faces > 0, faces, np.nan)[:, None]  # (R, 1)
    return precision, hits / asked


def average_precision(
    precision: NDArray[np.float64], recall: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integrate the monotone envelope of each curve (R, T): (R,), NaN where recall is.

    As the Pascal VOC development kit of 2010 and the official evaluation do.
    """
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    steps = np.diff(recall, axis=1, prepend=0.0)
    return np.asarray((steps * envelope).sum(axis=1))
