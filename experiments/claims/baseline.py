"""Reproduction of the published baseline: is each value within its tolerance?"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from experiments.claims.candidate_runs import candidates
from experiments.claims.evidence import Reason, objection
from experiments.metrics import kind
from experiments.records.run import PAPER_COUNTED
from experiments.records.selection import latest, started, trial_tag
from experiments.workspace.milestones import FACTS, Milestone
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.metrics import Metric
    from experiments.records.run import Run
    from experiments.records.store import Store

State = Literal["pass", "fail", "not_measured"]


@dataclass(frozen=True)
class Expectation:
    """One published value and its tolerance."""

    metric: str
    value: float
    within: float | None = None
    """Tolerance of the measurement; None where `value` is a limit to stay below."""
    beside: str = ""
    """A metric that is shown with it and not judged."""

    @property
    def unit(self) -> str:
        """Unit of the value."""
        return kind(self.metric).unit

    def holds(self, measured: float) -> bool:
        """Whether MEASURED is as expected; a better score than expected is, too."""
        if self.within is None:
            return measured < self.value
        shortfall = self.value - measured
        if not kind(self.metric).higher_is_better:
            shortfall = abs(shortfall)
        return shortfall <= self.within * (1 + 1e-9)  # 0.927 - 0.005 is a little over 0.922


@dataclass(frozen=True)
class Baseline:
    """Published values of one network, and the conditions that they were measured under."""

    name: str
    title: str
    titre: str
    source: str
    variants: tuple[str, ...]
    """Variants of the network that are compared with it."""
    protocol: str
    setting: str
    """Measurement setting of latency and memory."""
    expectations: tuple[Expectation, ...]

    def titled(self, language: str) -> str:
        """Return the title in LANGUAGE."""
        return self.titre if language == "fr" else self.title


@dataclass(frozen=True)
class BaselineOutcome:
    """One expectation and whether a run meets it."""

    expectation: Expectation
    state: State
    metric: Metric | None = None
    """The measurement, also where it does not count."""
    reason: Reason | None = None
    """Why the measurement does not count."""
    beside: Metric | None = None
    """The run's value of what is shown with it."""
    run: Run | None = None
    """The run that measured it: the one that is held against it, or one that stands in for it."""

    @property
    def difference(self) -> float | None:
        """Measured minus expected; None where no measurement counts."""
        counts = self.metric is not None and self.state != "not_measured"
        return self.metric.value - self.expectation.value if self.metric and counts else None


@cache
def baseline() -> Baseline:
    """Return the published results that the thesis starts from, as in expected.toml."""
    tables = tomllib.loads((FACTS / "expected.toml").read_text(encoding="utf-8"))["expected"]
    ((name, table),) = tables.items()
    rows = tuple(_expectation(metric, row) for metric, row in table.pop("metrics").items())
    variants = tuple(table.pop("variants"))
    return Baseline(name=name, variants=variants, expectations=rows, **table)


def validate(
    run: Run | None, expected: Baseline, store: Store | None = None, selector: str = ""
) -> tuple[BaselineOutcome, ...]:
    """Compare RUN with every expectation; without a run nothing is measured.

    With the SELECTOR that meant it in STORE, what RUN has not measured is read where claims read
    it: in the `candidates`. A value that was taken on other data, by another protocol or in another
    setting is not a measurement of what was published: the outcome says why.
    """
    return tuple(
        _first_that_counts(
            _measuring(run, expectation.metric, store, selector), expectation, expected
        )
        for expectation in expected.expectations
    )


def candidate(runs: Sequence[Run], expected: Baseline) -> Run | None:
    """Return which of RUNS speaks for the baseline, as a bare selector would; None if none does.

    That is the latest of the sealed runs of its networks that measured on the widest scope; what is
    tagged `smoke` or `demo` does not count.
    """
    reproductions = [run for run in runs if run.sealed and _reproduces(run, expected)]
    reproductions.sort(key=started)
    return latest(expected.name, reproductions).run if reproductions else None


def _reproduces(run: Run, expected: Baseline) -> bool:
    try:
        return run.variant in expected.variants and not trial_tag(run)
    except ThesisError:  # a damaged record speaks for nothing
        return False


def _measuring(
    run: Run | None, metric: str, store: Store | None, selector: str
) -> list[Run | None]:
    if run is None or store is None or not selector:
        return [run]
    return [run, *(each for each in candidates(store, selector, metric) if each != run)]


def _first_that_counts(
    runs: Sequence[Run | None], expectation: Expectation, expected: Baseline
) -> BaselineOutcome:
    outcomes = [_outcome(run, expectation, expected) for run in runs]
    counting = (outcome for outcome in outcomes if outcome.state != "not_measured")
    return next(counting, outcomes[0])


def _expectation(metric: str, row: Mapping[str, Any]) -> Expectation:
    if "below" in row:
        return Expectation(metric, float(row["below"]))
    beside = str(row.get("beside", ""))
    return Expectation(metric, float(row["value"]), float(row["within"]), beside)


def _outcome(run: Run | None, expectation: Expectation, expected: Baseline) -> BaselineOutcome:
    metric = run.metric(expectation.metric) if run else None
    beside = run.metric(expectation.beside) if run and expectation.beside else None
    if run is None or metric is None:
        counted = run is not None and beside is not None and expectation.metric == PAPER_COUNTED
        reason = Reason("uncounted", {"run": run.id}) if run and counted else None
        return BaselineOutcome(expectation, "not_measured", None, reason, beside, run)
    conditions = Milestone(
        name=expected.name, predicate="", protocol=expected.protocol, setting=expected.setting
    )
    reason = objection(run.id, metric, conditions, run.results)
    if reason is not None:
        return BaselineOutcome(expectation, "not_measured", metric, reason, beside, run)
    state: State = "pass" if expectation.holds(metric.value) else "fail"
    return BaselineOutcome(expectation, state, metric, None, beside, run)
