"""The table of training seeds, before a terminal, a document or the vault writes it."""

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
    """How the means of an experiment lie from those of the first."""

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
    parted = list(dict.fromkeys(groups))
    names = [name for name in AP_METRICS if any(group.values(name) for group in parted)]
    others = [_difference(group, parted[0], names) for group in parted[1:]]
    return SeedTable(
        tuple(names),
        tuple(line for group in parted for line in _lines(group, names)),
        tuple(one for one in others if any(one.values)),
        tuple(dict.fromkeys(group.experiment for group in parted if not group.enough)),
        tuple(group.experiment for group in parted if group.enough),
    )


def _lines(group: SeedGroup, names: Sequence[str]) -> list[SeedLine]:
    found = []
    for run in group.runs:
        metrics = (run.metric(name) for name in names)
        values = tuple(Value(metric.value) if metric else None for metric in metrics)
        found.append(SeedLine(group.experiment, run, 1, values))
    if group.enough:
        means = (group.summary(name) for name in names)
        values = tuple(Value(mean.mean, mean.low, mean.high) if mean else None for mean in means)
        found.append(SeedLine(group.experiment, None, len(group.runs), values))
    return found


def _difference(group: SeedGroup, base: SeedGroup, names: Sequence[str]) -> SeedDifference:
    less = (group.less(base, name) for name in names)
    values = tuple(Value(one.mean, one.low, one.high) if one else None for one in less)
    return SeedDifference(group.experiment, base.experiment, values)
