"""Statistics of the passes of one measurement, and what each of them means.

Percentiles are passes that were measured, never values between two of them: the p-th is the
shortest pass that more than p per cent of all passes do not exceed, the value of rank
⌊p·n / 100⌋ + 1 (the longest pass, where that rank is beyond the last). Of 20 passes p95 is the
longest one, and of fewer than 100 passes p99 is: `passes_for` says from how many on it is not.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class PassStatistics:
    """What the milliseconds of some passes come to."""

    passes: int
    mean: float
    std: float | None
    """Standard deviation over all passes (divided by their number); None for a single one."""
    min: float
    max: float
    median: float
    p90: float
    p95: float
    p99: float

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> PassStatistics:
        """Return the statistics of MILLISECONDS, of which there is at least one."""
        return cls(
            passes=len(milliseconds),
            mean=statistics.fmean(milliseconds),
            std=statistics.pstdev(milliseconds) if len(milliseconds) > 1 else None,
            min=min(milliseconds),
            max=max(milliseconds),
            median=statistics.median(milliseconds),
            p90=percentile(milliseconds, 0.90),
            p95=percentile(milliseconds, 0.95),
            p99=percentile(milliseconds, 0.99),
        )

    def per_second(self, pictures: int) -> float | None:
        """Return the pictures per second where each pass takes PICTURES; None without time."""
        return 1000 * pictures / self.mean if self.mean > 0 else None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the lowest of VALUES that more than SHARE of them do not exceed.

    >>> percentile([5.0, 1.0, 2.0, 3.0, 4.0], 0.5)
    3.0
    """
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def passes_for(share: float) -> int:
    """Return the fewest passes of which the percentile of SHARE leaves one above it.

    >>> passes_for(0.9), passes_for(0.95), passes_for(0.99)
    (11, 21, 101)
    """
    return math.ceil(round(1 / (1 - share), 9)) + 1
