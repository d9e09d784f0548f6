"""The values of metric_terms: those of now, and those that they had before."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from experiments.claims.candidate_runs import evidence_run, find_measured
from experiments.claims.predicates import COMPUTE, MetricTerm, NumberTerm, metric_terms
from experiments.conditions import TIMED
from experiments.metrics import DISTURBED, EVIDENCE, KINDS, SYNTHETIC
from experiments.records.seal import describe_problems, remedy
from experiments.records.store import Store
from featherface.errors import NotFoundError, RefusedError, ThesisError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from experiments.claims.predicates import Term
    from experiments.metrics import Metric
    from experiments.records.run import Run
    from experiments.records.selection import SelectionNote
    from experiments.staleness.changes import ProvenanceChange
    from experiments.workspace.workspace import Workspace

MOST = 2000
"""Earlier values that are looked at; only sums over many versions have more."""


@dataclass(frozen=True)
class ReferenceValue:
    """The value of a reference, and the metrics that it was computed from."""

    number: float
    metrics: tuple[Metric, ...]
    measured: tuple[tuple[str, str], ...] = ()
    """Run and metric of each value that a run here measured."""
    choice: tuple[SelectionNote, ...] = ()
    """What must be said of how its selectors were read."""

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of the runs it was measured by; empty for what is cited or planned."""
        return tuple(dict.fromkeys(run for run, _ in self.measured))

    @property
    def evidence(self) -> tuple[str, ...]:
        """Of `measured`, `cited` and `target`, those that the value rests on."""
        return tuple(
            evidence
            for evidence in EVIDENCE
            if any(metric.evidence == evidence for metric in self.metrics)
        )

    @property
    def makers(self) -> tuple[str, ...]:
        """Who made the predictions behind it, where networks here did not."""
        return tuple(dict.fromkeys(metric.maker for metric in self.metrics if metric.maker))

    @property
    def synthetic(self) -> bool:
        """Whether synthetic data took part."""
        return any(metric.dataset == SYNTHETIC for metric in self.metrics)

    @property
    def complete(self) -> bool:
        """Whether every split was used whole."""
        return all(metric.complete for metric in self.metrics)

    @property
    def marks(self) -> tuple[str, ...]:
        """What must be said of the measurements that it rests on, such as `disturbed`."""
        return tuple(dict.fromkeys(mark for metric in self.metrics for mark in metric.marks))

    @property
    def unit(self) -> str:
        """The unit of the one metric it is; empty for arithmetic."""
        return self.metrics[0].unit if len(self.metrics) == 1 else ""


@dataclass(frozen=True)
class FormerValue:
    """A value that a reference had, or may have had."""

    number: float
    runs: tuple[str, ...]


class ReferenceValues:
    """The numbers of one workspace; records are read once."""

    def __init__(self, workspace: Workspace, store: Store | None = None) -> None:
        self.workspace = workspace
        self.store = store or Store(workspace)
        self._runs: dict[tuple[str, str], Run | ThesisError] = {}
        self._possible: dict[str, list[Run]] = {}

    def now(self, term: Term) -> ReferenceValue:
        """Return the value of TERM now.

        Raises:
            NotFoundError: a run, metric or cited result is not there.
            RefusedError: a record was changed, a run is not finished, or values of different
                data would be mixed.
        """
        metric_of = {metric_term: self._metric(metric_term) for metric_term in metric_terms(term)}
        metrics = tuple(metric_of.values())
        _refuse_mixture(metrics)
        _refuse_marked(metrics)
        number = _compute(term, lambda metric_term: metric_of[metric_term].value)
        if not math.isfinite(number):
            raise RefusedError(f"{term} has no value: it is {number}")
        measured = [
            (self.run(metric_term.selector, metric_term.metric).id, metric_term.metric)
            for metric_term in metric_of
            if not _is_stated(metric_term.selector)
        ]
        selectors = dict.fromkeys(metric_term.selector for metric_term in metric_of)
        notes = {note.text(): note for name in selectors for note in self._choice(name)}
        return ReferenceValue(
            number, metrics, tuple(dict.fromkeys(measured)), tuple(notes.values())
        )

    def _choice(self, selector: str) -> tuple[SelectionNote, ...]:
        return () if _is_stated(selector) else self.store.select(selector).notes

    def before(self, term: Term) -> Iterator[FormerValue]:
        """Yield the values of TERM while its selectors meant other runs, the latest first."""
        wanted = list(metric_terms(term))
        moving = list(
            dict.fromkeys(
                metric_term.selector
                for metric_term in wanted
                if not _is_stated(metric_term.selector)
            )
        )
        choices = itertools.product(*(self._candidates(selector) for selector in moving))
        for combination in itertools.islice(choices, MOST):
            runs = dict(zip(moving, combination, strict=True))
            try:
                number = _compute(term, partial(self._former, runs))
            except ThesisError:
                continue
            yield FormerValue(number, tuple(dict.fromkeys(run.id for run in combination)))

    def run(self, selector: str, metric: str = "") -> Run:
        """Return the finished, unchanged run that SELECTOR means for METRIC, as milestones do."""
        key = (selector, metric)
        if key not in self._runs:
            try:
                self._runs[key] = self._find(*key)
            except ThesisError as error:
                self._runs[key] = error
        run = self._runs[key]
        if isinstance(run, ThesisError):
            raise run
        return run

    def changes(self, run: str, metric: str) -> tuple[ProvenanceChange, ...]:
        """Return how what METRIC of RUN follows from has changed since."""
        from experiments.staleness.changes import changes  # noqa: PLC0415 - as above
        from experiments.staleness.families import families  # noqa: PLC0415 - only where it is asked

        try:
            measured_run = self.store.find(run)
            return changes(measured_run, self.store, families(measured_run, metric))
        except ThesisError:
            return ()

    def rewritten(self, run: str, metric: str) -> str:
        """Say that code behind METRIC of RUN changed and computes the same; empty otherwise."""
        from experiments.staleness.changes import rewritten  # noqa: PLC0415 - as above
        from experiments.staleness.families import families  # noqa: PLC0415 - as above
        from experiments.wording.phrases import say  # noqa: PLC0415 - as above

        try:
            record = self.store.find(run)
            same = rewritten(record, self.store, families(record, metric))
        except ThesisError:
            return ""
        return say("reason.same-code", "en", run=run, details=", ".join(same)) if same else ""

    def _find(self, selector: str, metric: str) -> Run:
        run = (
            find_measured(self.store, selector, metric)
            if metric
            else evidence_run(self.store, selector).run
        )
        if not run.sealed:
            raise RefusedError(f"{run.id} is not finished", f"thesis run {run.experiment} --resume")
        if problems := self.store.problems(run):
            raise RefusedError(
                f"the sealed record of {run.id} was changed afterwards"
                f" ({describe_problems(problems)})",
                remedy(problems, run.id),
            )
        return run

    def _metric(self, term: MetricTerm) -> Metric:
        if _is_stated(term.selector):
            return self._stated(term)
        run = self.run(term.selector, term.metric)
        metric = run.metric(term.metric)
        if metric is None:
            raise _unmeasured(run.id, term.metric, [measured.name for measured in run.metrics])
        return metric

    def _stated(self, term: MetricTerm) -> Metric:
        """Return a cited or planned result."""
        evidence, _, name = term.selector.partition(":")
        known = self.workspace.cited
        if name not in known:
            names = [key for key, result in known.items() if result.evidence == evidence]
            raise NotFoundError(
                unknown(f"{evidence} result", name, names),
                f"add it to thesis.toml: [cited.{name}]",
            )
        result = known[name]
        if result.evidence != evidence:
            right = f"{result.evidence}:{name}"
            raise RefusedError(f"{name} is {result.evidence}, not {evidence}", f"write {right}")
        metric = result.metric(term.metric)
        if metric is None:
            names = [measured.name for measured in result.metrics]
            raise _unmeasured(term.selector, term.metric, names)
        return metric

    def _candidates(self, selector: str) -> list[Run]:
        """Return the runs that SELECTOR may have meant, the latest first."""
        if selector not in self._possible:
            self._possible[selector] = self._possibly(selector)
        return self._possible[selector]

    def _possibly(self, selector: str) -> list[Run]:
        name, at, which = selector.partition("@")
        if at and which.isdecimal():
            runs = [run for run in self.store.runs(name) if str(run.version) == which]
        elif name and (at or name in self.store.experiments()):
            runs = self.store.runs(name)
        else:  # a label or @last, which may have been any run
            runs = self.store.runs()
        return [run for run in reversed(runs) if run.sealed]

    def _former(self, runs: Mapping[str, Run], term: MetricTerm) -> float:
        if _is_stated(term.selector):
            return self._stated(term).value
        run = runs[term.selector]
        metric = None if self.store.problems(run) else run.metric(term.metric)
        if metric is None:
            raise NotFoundError(f"{run.id} has no {term.metric}")
        return metric.value


def _is_stated(selector: str) -> bool:
    """Whether SELECTOR names a cited or planned result, and no run."""
    return selector.startswith(("cited:", "target:"))


def _compute(term: Term, look_up: Callable[[MetricTerm], float]) -> float:
    if isinstance(term, NumberTerm):
        return term.value
    if isinstance(term, MetricTerm):
        return look_up(term)
    left, right = _compute(term.left, look_up), _compute(term.right, look_up)
    try:
        return COMPUTE[term.sign](left, right)
    except (ZeroDivisionError, OverflowError) as error:
        raise RefusedError(f"{term} has no value: {error}") from error


def _refuse_mixture(metrics: tuple[Metric, ...]) -> None:
    """Refuse to reckon with values that were not taken alike."""
    contexts = {metric.context: metric for metric in metrics if metric.dataset}
    settings = {metric.context: metric for metric in metrics if metric.name.startswith(TIMED)}
    for distinct in (contexts, settings):
        if len(distinct) > 1:
            examples = " and ".join(_conditions(metric) for metric in list(distinct.values())[:2])
            raise RefusedError(
                f"values that were not taken alike are not reckoned with: {examples}",
                "take runs that were measured on the same data and device, by the same protocol",
            )


def _refuse_marked(metrics: tuple[Metric, ...]) -> None:
    """Refuse to reckon with times of a disturbed machine, and APs on a network's training set."""
    marked = next((metric for metric in metrics if metric.marks), None)
    if marked is None or len(metrics) == 1:
        return
    if DISTURBED in marked.marks:
        raise RefusedError(
            f"{marked.name} of {marked.source} was taken on a machine that was not left alone: it"
            " is compared with nothing",
            f"thesis run {marked.source} --stage benchmark --new",
        )
    raise RefusedError(
        f"{marked.name} of {marked.source} was measured on pictures that the network was trained"
        " on: it is compared with nothing",
        "name a run that was trained on other pictures; see: thesis runs list",
    )


def _conditions(metric: Metric) -> str:
    parts = [metric.dataset, metric.split, metric.protocol or "protocol not stated"]
    parts.append(metric.conditions.shown() if metric.name.startswith(TIMED) else "")
    parts += ["whole split" if metric.complete else f"{metric.n} images"] if metric.dataset else []
    return f"{metric.source} ({', '.join(part for part in parts if part)})"


def _unmeasured(owner: str, metric: str, known: list[str]) -> NotFoundError:
    if metric in KINDS:
        return NotFoundError(f"{owner} has no {metric}", f"it has: {', '.join(known) or 'nothing'}")
    return NotFoundError(unknown("metric", metric, {*known, *KINDS}))
