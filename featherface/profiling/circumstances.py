"""Was a machine left alone while something was timed on it? Ratios tell, never a number of ms.

A fixed piece of work, the reference, is timed before, between and after the passes. Where it takes
longer at one time than at another, where the passes spread, or where other processes want the
cores that the passes use, the time is one of that disturbance as much as of the network.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featherface.profiling.machine import MachineState, ProcessorTimes

LIMITS = {"load": 0.10, "reference": 0.20, "spread": 0.20}
"""Sign of a disturbance -> what it may amount to.

`load`: share of the cores in use that other processes wanted too. `reference`: by which share the
reference took longer at its slowest than at its quickest. `spread`: interquartile range of the
passes, as a share of their median.
"""
FEWEST_PASSES = 8
"""Passes below which their quartiles tell nothing."""
SHORTEST = 0.3
"""Seconds below which the system's times, which count in hundredths, tell nothing."""


@dataclass(frozen=True)
class Disturbance:
    """One sign that the machine was not left alone."""

    sign: str
    """A key of LIMITS."""
    amount: float
    limit: float


@dataclass(frozen=True, kw_only=True)
class MachineCircumstances:
    """What is known of the machine while it timed; None where it does not tell."""

    reference_ms: tuple[float, ...]
    """Milliseconds of the reference before, between and after the passes, in order."""
    reference: float
    """See LIMITS."""
    spread: float | None
    """See LIMITS; that of the network whose passes spread most."""
    load: float | None
    """See LIMITS; not judged where a card computes."""
    other_cores: float | None
    """Cores that other processes kept busy, on average."""
    cores: int | None
    """Cores that were there."""
    before: MachineState
    after: MachineState

    @property
    def disturbances(self) -> tuple[Disturbance, ...]:
        """Every sign that is beyond its limit; none where the machine was left alone."""
        amounts = {sign: getattr(self, sign) for sign in LIMITS}
        return tuple(
            Disturbance(sign, amount, LIMITS[sign])
            for sign, amount in amounts.items()
            if amount is not None and amount > LIMITS[sign]
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values, the disturbances among them."""
        return {
            **asdict(self),
            "reference_ms": list(self.reference_ms),
            "disturbances": [asdict(disturbance) for disturbance in self.disturbances],
        }


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of time, and how busy the processor was in it."""

    seconds: float
    before: ProcessorTimes | None
    after: ProcessorTimes | None

    @property
    def other_cores(self) -> float | None:
        """Cores that other processes kept busy, on average; None where that is not known."""
        if self.before is None or self.after is None or self.seconds < SHORTEST:
            return None
        others = (self.after.busy - self.before.busy) - (self.after.own - self.before.own)
        return max(0.0, others / self.seconds)

    def crowding(self, threads: int) -> float | None:
        """Return the share of the THREADS cores in use that other processes wanted too."""
        others = self.other_cores
        if others is None or self.after is None:
            return None
        used = min(threads, self.after.cores)
        return min(1.0, max(0.0, used + others - self.after.cores) / used)


def drift(reference: Sequence[float]) -> float:
    """Return by which share the slowest REFERENCE is above the quickest.

    >>> drift([10.0, 12.0, 10.0])
    0.2
    """
    return round(max(reference) / min(reference) - 1, 6) if min(reference) > 0 else 0.0


def spread(passes: Sequence[float]) -> float | None:
    """Return the interquartile range of PASSES as a share of their median; None for few passes."""
    median = statistics.median(passes)
    if len(passes) < FEWEST_PASSES or median <= 0:
        return None
    low, _, high = statistics.quantiles(passes, n=4, method="inclusive")
    return (high - low) / median


def widest_spread(passes: Sequence[Sequence[float]]) -> float | None:
    """Return the largest spread of several networks' PASSES; None where none is known."""
    return max((share for each in passes if (share := spread(each)) is not None), default=None)
