"""Statistics over training seeds: means, spread, Student's and Welch's intervals."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from experiments.metrics import AP_METRICS
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.records.run import Run
    from experiments.records.store import Store

MIN_SEEDS = 5
"""Seeds from which anything is claimed over seeds."""
LEVEL = 0.95
FREE_KEYS = frozenset({"seed", "train.seed", "name", "title", "hypothesis", "tags"})
"""Recipe keys in which runs of one group may differ."""


@dataclass(frozen=True)
class Spread:
    """A mean over seeds, or the difference of two."""

    mean: float
    deviation: float
    """Standard deviation over seeds; NaN of a difference."""
    low: float
    """Ends of the 95 % interval of the mean, by Student's t (Welch's for a difference)."""
    high: float
    p: float = math.nan
    """How often seeds alone would give a mean so far from zero; NaN where nobody asked."""


@dataclass(frozen=True)
class SeedGroup:
    """The runs of one experiment and recipe, one per training seed, in the order of seeds."""

    experiment: str
    runs: tuple[Run, ...]

    @property
    def enough(self) -> bool:
        """Whether there are seeds enough to speak of seeds."""
        return len(self.runs) >= MIN_SEEDS

    def values(self, name: str) -> list[float]:
        """Return the metric NAME of each run that has it."""
        return [metric.value for run in self.runs if (metric := run.metric(name))]

    def marks(self, name: str) -> tuple[str, ...]:
        """Return what must be said of the values of metric NAME."""
        known = [metric for run in self.runs if (metric := run.metric(name))]
        return tuple(dict.fromkeys(mark for metric in known for mark in metric.marks))

    def summary(self, name: str) -> Spread | None:
        """Return mean and spread of metric NAME; None with too few seeds to claim anything."""
        return spread(self.values(name))

    def mean_difference(self, other: SeedGroup, name: str) -> Spread | None:
        """Return this group's mean of NAME less OTHER's (Welch).

        None with too few seeds, and where a value has a mark.
        """
        if self.marks(name) or other.marks(name):
            return None
        own, others = self.values(name), other.values(name)
        if self.runs == other.runs or min(len(own), len(others)) < MIN_SEEDS:
            return None
        mean = fmean(own) - fmean(others)
        if not (stdev(own) or stdev(others)):
            return Spread(mean, math.nan, mean, mean)
        from scipy.stats import ttest_ind  # noqa: PLC0415 - slow, and few groups get here

        ends = ttest_ind(own, others, equal_var=False).confidence_interval(LEVEL)
        return Spread(mean, math.nan, float(ends.low), float(ends.high))

    def to_json(self) -> dict[str, Any]:
        """Return seeds, runs, their APs and, with seeds enough, the mean over them."""
        return {
            "experiment": self.experiment,
            "runs": [
                {
                    "run": run.id,
                    "seed": run.record.seed,
                    "values": {
                        name: metric.value for name in AP_METRICS if (metric := run.metric(name))
                    },
                }
                for run in self.runs
            ],
            "means": {
                name: {
                    "mean": spread.mean,
                    "deviation": spread.deviation,
                    "low": spread.low,
                    "high": spread.high,
                }
                for name in AP_METRICS
                if (spread := self.summary(name))
            },
        }


def spread(values: Sequence[float]) -> Spread | None:
    """Return the mean of VALUES, one per seed; None with too few seeds to claim anything."""
    if len(values) < MIN_SEEDS:
        return None
    mean, deviation = fmean(values), stdev(values)
    if not deviation:
        return Spread(mean, 0.0, mean, mean, float(not mean))
    from scipy.stats import ttest_1samp  # noqa: PLC0415 - slow, and few groups get here

    test = ttest_1samp(values, 0.0)
    ends = test.confidence_interval(LEVEL)
    return Spread(mean, deviation, float(ends.low), float(ends.high), float(test.pvalue))


def seed_groups(runs: Sequence[Run], store: Store | None) -> tuple[SeedGroup, ...]:
    """Return for each of RUNS the sealed, unchanged runs that are like it but for the seed.

    Of several runs with one seed, the one that is compared counts, else the latest. Runs that
    trained nothing are alone: their seed means nothing.
    """
    return tuple(SeedGroup(run.experiment, _siblings(run, store)) for run in runs)


def _siblings(run: Run, store: Store | None) -> tuple[Run, ...]:
    if store is None or not trained(run):
        return (run,)
    likeness = _likeness(run)
    siblings: dict[int, Run] = {}
    for other in store.runs(run.experiment):
        with contextlib.suppress(ThesisError):  # a damaged record is no evidence
            alike = other.sealed and trained(other) and _likeness(other) == likeness
            if alike and not store.problems(other):
                siblings[other.record.seed] = other
    siblings[run.record.seed] = run
    return tuple(siblings[seed] for seed in sorted(siblings))


def trained(run: Run) -> bool:
    """Whether RUN's weights come from a training of its own."""
    stage = run.record.stages.get("train")
    return stage is not None and stage.status == "done"


def _likeness(run: Run) -> tuple[object, ...]:
    """Return what runs of one group have in common: recipe, evaluation and data."""
    from experiments.recipe.model import flatten  # noqa: PLC0415 - all configurations

    recipe = {
        key: repr(value) for key, value in flatten(run.recipe).items() if key not in FREE_KEYS
    }
    measured = next((metric for metric in run.metrics if metric.name in AP_METRICS), None)
    about = (measured.context, measured.n, measured.fingerprint) if measured else ()
    return (tuple(sorted(recipe.items())), about)
