"""The table of training seeds as data, for the terminal, documents and the vault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.comparison.table import Value
from experiments.metrics import AP_METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from experiments.comparison.seed_statistics import SeedGroup
    from experiments.records.run import Run


@dataclass(frozen=True)
class SeedLine:
    """One run, or the mean of an experiment's runs."""

    experiment: str
    run: Run | None
    """None for the mean."""
    count: int
    """Runs behind the line."""
    values: tuple[Value | None, ...]
    """One per metric of the table."""


@dataclass(frozen=True)
class SeedDifference:
    """Differences of an experiment's means from those of the first, with Welch's intervals."""

    experiment: str
    base: str
    values: tuple[Value | None, ...]
    """One per metric of the table; None with too few seeds to claim anything."""


@dataclass(frozen=True)
class SeedTable:
    """Runs that differ by their seed only, and what may be claimed over seeds."""

    metrics: tuple[str, ...]
    lines: tuple[SeedLine, ...]
    differences: tuple[SeedDifference, ...]
    few: tuple[str, ...]
    """Experiments with too few seeds to claim anything."""
    enough: tuple[str, ...]


def seed_table(groups: Iterable[SeedGroup]) -> SeedTable:
    """Return the table of GROUPS; a group that two runs share stands there once."""
    unique = list(dict.fromkeys(groups))
    names = [name for name in AP_METRICS if any(group.values(name) for group in unique)]
    others = [_difference(group, unique[0], names) for group in unique[1:]]
    return SeedTable(
        tuple(names),
        tuple(line for group in unique for line in _lines(group, names)),
        tuple(difference for difference in others if any(difference.values)),
        tuple(dict.fromkeys(group.experiment for group in unique if not group.enough)),
        tuple(group.experiment for group in unique if group.enough),
    )


def _lines(group: SeedGroup, names: Sequence[str]) -> list[SeedLine]:
    lines = []
    for run in group.runs:
        metrics = (run.metric(name) for name in names)
        values = tuple(
            Value(metric.value, marks=metric.marks) if metric else None for metric in metrics
        )
        lines.append(SeedLine(group.experiment, run, 1, values))
    if group.enough:
        means = [(group.summary(name), group.marks(name)) for name in names]
        values = tuple(
            Value(mean.mean, mean.low, mean.high, marks) if mean else None for mean, marks in means
        )
        lines.append(SeedLine(group.experiment, None, len(group.runs), values))
    return lines


def _difference(group: SeedGroup, base: SeedGroup, names: Sequence[str]) -> SeedDifference:
    spreads = (group.mean_difference(base, name) for name in names)
    values = tuple(
        Value(spread.mean, spread.low, spread.high) if spread else None for spread in spreads
    )
    return SeedDifference(group.experiment, base.experiment, values)
