"""Reproduction of the published baseline: expected, measured, and whether within tolerance."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from experiments.claims.evidence import objection
from experiments.metrics import kind
from experiments.workspace.milestones import FACTS, Milestone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.claims.evidence import Reason
    from experiments.metrics import Metric
    from experiments.records.run import Run

State = Literal["pass", "fail", "not_measured"]


@dataclass(frozen=True)
class Expectation:
    """One row of the publication's table."""

    metric: str
    value: float
    within: float | None = None
    """How far the measurement may lie off; None where `value` is a limit to stay below."""

    @property
    def unit(self) -> str:
        """Of the value."""
        return kind(self.metric).unit

    def holds(self, measured: float) -> bool:
        """Tell whether MEASURED is as expected; a better score than expected is."""
        if self.within is None:
            return measured < self.value
        short = self.value - measured
        if not kind(self.metric).higher_is_better:
            short = abs(short)
        return short <= self.within * (1 + 1e-9)  # 0.927 - 0.005 is a little over 0.922


@dataclass(frozen=True)
class Baseline:
    """What one publication leads to expect."""

    name: str
    title: str
    titre: str
    source: str
    variants: tuple[str, ...]
    """Networks that are held against it."""
    protocol: str
    setting: str
    """How latency and memory must have been taken."""
    expectations: tuple[Expectation, ...]

    def titled(self, language: str) -> str:
        """Return the title in LANGUAGE."""
        return self.titre if language == "fr" else self.title


@dataclass(frozen=True)
class Outcome:
    """One expectation, and what a run gives."""

    expectation: Expectation
    state: State
    metric: Metric | None = None
    """What was measured, also where it does not count."""
    reason: Reason | None = None
    """Why what was measured does not count."""

    @property
    def difference(self) -> float | None:
        """Measured less expected; None where nothing counts."""
        counts = self.metric is not None and self.state != "not_measured"
        return self.metric.value - self.expectation.value if self.metric and counts else None


@cache
def baseline() -> Baseline:
    """Return the publication that the thesis starts from."""
    tables = tomllib.loads((FACTS / "expected.toml").read_text(encoding="utf-8"))["expected"]
    ((name, table),) = tables.items()
    rows = tuple(_expectation(metric, row) for metric, row in table.pop("metrics").items())
    variants = tuple(table.pop("variants"))
    return Baseline(name=name, variants=variants, expectations=rows, **table)


def validate(run: Run | None, expected: Baseline) -> tuple[Outcome, ...]:
    """Hold RUN against every expectation; without a run nothing is measured.

    A value that was taken on other data, by another protocol or in another setting is not a
    measurement of what was published: the outcome says why.
    """
    return tuple(_outcome(run, one, expected) for one in expected.expectations)


def candidate(runs: Sequence[Run], expected: Baseline) -> Run | None:
    """Return the sealed run that speaks for the baseline: most expectations counted, the latest."""
    known = [run for run in runs if run.sealed and run.variant in expected.variants]
    ranked = [
        (sum(one.state != "not_measured" for one in validate(run, expected)), place)
        for place, run in enumerate(known)
    ]
    return known[max(ranked)[1]] if ranked else None


def _expectation(metric: str, row: Mapping[str, Any]) -> Expectation:
    if "below" in row:
        return Expectation(metric, float(row["below"]))
    return Expectation(metric, float(row["value"]), float(row["within"]))


def _outcome(run: Run | None, one: Expectation, expected: Baseline) -> Outcome:
    metric = run.metric(one.metric) if run else None
    if run is None or metric is None:
        return Outcome(one, "not_measured")
    asked = Milestone(
        name=expected.name, predicate="", protocol=expected.protocol, setting=expected.setting
    )
    against = objection(run.id, metric, asked)
    if against is not None:
        return Outcome(one, "not_measured", metric, against)
    return Outcome(one, "pass" if one.holds(metric.value) else "fail", metric)
