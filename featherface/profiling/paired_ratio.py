"""How many times as long one network takes as another, from passes that were taken in turns.

What slows the machine for a while slows both passes of a pair: it cancels out of their ratio, and
would not out of two measurements one after the other. The interval is a bootstrap over the pairs
(Efron and Tibshirani, 1993): it speaks of this measurement, not of another day's.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class PairedRatio:
    """Median over the pairs of one network's time by the other's, with its interval."""

    value: float
    low: float
    high: float
    pairs: int
    level: float = LEVEL

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def paired_ratio(times: Sequence[float], others: Sequence[float], seed: int = 0) -> PairedRatio:
    """Return how many times as long TIMES took as OTHERS, pass by pass.

    The same passes and SEED give the same numbers on every machine: resamples are drawn from the
    raw words of PCG64, which NumPy promises never to change.

    Raises:
        ValueError: there are no pairs, or not as many of both.
    """
    if not times or len(times) != len(others):
        raise ValueError(f"{len(times)} and {len(others)} passes make no pairs")
    ratios = np.asarray(times, dtype=np.float64) / np.asarray(others, dtype=np.float64)
    count = len(ratios)
    words = np.random.PCG64(seed).random_raw(RESAMPLES * count).reshape(RESAMPLES, count)
    drawn = ((words >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)
    medians = np.median(ratios[drawn.astype(np.intp)], axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(medians, [tail, 1 - tail])
    return PairedRatio(float(np.median(ratios)), float(low), float(high), count)
