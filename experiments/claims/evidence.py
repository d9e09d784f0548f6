"""Evidence for a claim: what was observed of each metric in it, or why that does not count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from experiments.claims import remedies
from experiments.claims.candidate_runs import candidates_of, evidence_run
from experiments.conditions import TIMED
from experiments.conditions_text import MeasurementSettings
from experiments.disturbances import Disturbances
from experiments.earlier_conditions import from_text
from experiments.metrics import DISTURBED
from experiments.records.seal import only_line_ends, remedy
from experiments.records.store import RemovedError
from experiments.staleness.changes import changes, rewritten
from experiments.staleness.families import families
from experiments.wording.phrases import Sentence
from featherface.errors import NotFoundError, RefusedError, ThesisError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.claims.predicates import MetricTerm
    from experiments.metrics import Metric
    from experiments.records.run import Run
    from experiments.records.seal import Problem
    from experiments.records.selection import Selection
    from experiments.records.store import Store
    from experiments.staleness.changes import ProvenanceChange
    from experiments.workspace.milestones import Milestone

WHOLE = {("widerface", "val"): 3226, ("widerface", "train"): 12_880}
"""(data set, split) -> images of the official split."""


@dataclass(frozen=True)
class Reason(Sentence):
    """Why a claim has its state, or what to do about it; worded in either language."""

    TABLE = "reason"


@dataclass(frozen=True)
class Observation:
    """One metric that a claim names: its value and run, or why there is none that counts."""

    term: MetricTerm
    run: Run | None = None
    """The run that measured it; None where none did, or the value is cited."""
    metric: Metric | None = None
    reason: Reason | None = None
    """Why the metric doesn't count; None where it does."""
    step: Reason | None = None
    """What to do so that it counts."""
    selected_run: Run | None = None
    """The run that the claim's selector means, where the value is of another of its versions."""
    selection: Selection | None = None
    """How the claim's selector was read; None where it names no run."""

    @property
    def source(self) -> str:
        """The run's id, or the name of the cited result."""
        return self.run.id if self.run else self.term.selector


class Facts:
    """The runs of a workspace during one check: each record is verified and compared once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._damage: dict[Run, Sequence[Problem]] = {}
        self._changes: dict[tuple[Run, tuple[str, ...]], tuple[ProvenanceChange, ...]] = {}
        self._observations: dict[tuple[object, ...], Observation] = {}

    def observe(self, term: MetricTerm, milestone: Milestone) -> Observation:
        """Return the metric that TERM names, and why it doesn't count, where it doesn't.

        Of the candidate runs, the first whose value counts and is fresh is taken; else the first
        whose value counts, unless the selected run is refused for more than a missing metric: then
        the observation says why. Where no run's value counts, a cited result of that name may, if
        MILESTONE accepts citations.
        """
        conditions = (milestone.dataset, milestone.protocol, milestone.setting, milestone.evidence)
        key = (term, *conditions)
        if key not in self._observations:
            self._observations[key] = _observe(self, term, milestone)
        return self._observations[key]

    def damage(self, run: Run) -> Sequence[Problem]:
        """Return how the record of RUN differs from its seal; empty where it is intact."""
        if run not in self._damage:
            self._damage[run] = self.store.problems(run)
        return self._damage[run]

    def changes(self, run: Run, metric: str) -> tuple[ProvenanceChange, ...]:
        """Return what has changed since RUN of the data, code and parents behind METRIC."""
        key = (run, families(run, metric))
        if key not in self._changes:
            self._changes[key] = changes(run, self.store, key[1])
        return self._changes[key]

    def rewritten(self, run: Run, metric: str) -> tuple[str, ...]:
        """Return the metric families of METRIC whose code was rewritten and computes the same."""
        return rewritten(run, self.store, families(run, metric))


def _observe(facts: Facts, term: MetricTerm, milestone: Milestone) -> Observation:
    selected: Observation | None = None
    counting: Observation | None = None
    try:
        selection = evidence_run(facts.store, term.selector)
        meant = selection.run
        for run in candidates_of(facts.store, selection, term.metric):
            observation = _observe_run(facts, term, run, milestone)
            observation = replace(observation, selection=selection)
            selected = selected or observation
            if observation.reason is None:
                if run != meant:
                    observation = replace(observation, selected_run=meant)
                if not facts.changes(run, term.metric):
                    return observation
                selected_is_refused = (
                    selected.reason is not None and selected.reason.code != "no-metric"
                )
                counting = counting or (None if selected_is_refused else observation)
    except RefusedError:
        run = facts.store.find(term.selector)
        reason = Reason("tagged", {"run": run.id, "selector": term.selector})
        selected = Observation(term, run, reason=reason)
    except RemovedError as error:
        step = Reason("step", {"command": f"thesis runs restore {error.run}"})
        selected = Observation(term, reason=Reason("removed", {"run": error.run}), step=step)
    except NotFoundError:
        reason = Reason("no-run", {"run": term.selector})
        step = Reason(*remedies.for_missing_run(facts.store, term.selector, term.metric))
        selected = Observation(term, reason=reason, step=step)
    if counting is not None:
        return counting
    cited = _observe_citation(facts.store, term, milestone)
    if cited is not None and (cited.reason is None or selected is None or selected.run is None):
        return cited
    return selected or Observation(term, reason=Reason("no-run", {"run": term.selector}))


def _observe_run(facts: Facts, term: MetricTerm, run: Run, milestone: Milestone) -> Observation:
    store = facts.store
    if not run.sealed:
        step = Reason("step", {"command": f"thesis run {run.experiment} --resume"})
        return Observation(term, run, None, Reason("unsealed", {"run": run.id}), step)
    problems: Sequence[Problem] = ()
    metric, readable = None, True
    try:
        problems = facts.damage(run)
        metric = None if problems else run.metric(term.metric)
    except ThesisError:
        readable = False
    if problems or not readable:
        step = Reason("step", {"command": remedy(problems, run.id)})
        code = "line-ends" if only_line_ends(problems) else "changed"
        return Observation(term, run, None, Reason(code, {"run": run.id}), step)
    if metric is None:
        values = {"run": run.id, "metric": term.metric}
        step = Reason(*remedies.for_missing_metric(store, run, term.metric))
        return Observation(term, run, None, Reason("no-metric", values), step)
    reason = objection(run.id, metric, milestone, run.results)
    if reason is None:
        return Observation(term, run, metric)
    return Observation(term, run, metric, reason, _step(store, run, metric, milestone, reason.code))


def _observe_citation(store: Store, term: MetricTerm, milestone: Milestone) -> Observation | None:
    cited = store.workspace.cited.get(term.selector)
    if cited is None:
        return None
    metric = cited.metric(term.metric)
    if metric is None:
        values = {"run": cited.name, "metric": term.metric}
        return Observation(term, reason=Reason("not-cited", values))
    reason = objection(cited.name, metric, milestone)
    step = None
    if reason is not None and reason.code == "evidence":
        kinds = ", ".join(f'"{evidence}"' for evidence in (*milestone.evidence, metric.evidence))
        step = Reason("step-evidence", {"milestone": milestone.name, "kinds": kinds})
    return Observation(term, None, metric, reason, step)


def objection(
    source: str,
    metric: Metric,
    milestone: Milestone,
    results: Mapping[str, Any] | None = None,
) -> Reason | None:
    """Return why METRIC of SOURCE is no evidence for MILESTONE; None where it is.

    SOURCE is a run's id or the name of a cited result; RESULTS are those of the run, which tell
    what disturbed it.
    """
    values: dict[str, object] = {"run": source, "metric": metric.name, "n": metric.n}
    if metric.evidence not in milestone.evidence:
        wanted = {"evidence": metric.evidence, "wanted": milestone.evidence, "maker": metric.maker}
        code = "imported" if metric.evidence == "imported" else "evidence"
        return Reason(code, values | wanted)
    if metric.evidence in ("cited", "target"):
        wanted = {"protocol": metric.protocol, "wanted": milestone.protocol}
        is_other = metric.dataset and _is_of_another_protocol(metric, milestone)
        return Reason("protocol", values | wanted) if is_other else None
    if metric.marks:
        why = Disturbances.recorded(results or {})
        return Reason(metric.marks[0], values | ({"why": why} if DISTURBED in metric.marks else {}))
    if metric.name.startswith(TIMED) and not metric.conditions.meets(from_text(milestone.setting)):
        setting = MeasurementSettings((from_text(milestone.setting),))
        manners = {"protocol": MeasurementSettings((metric.conditions.manner,)), "wanted": setting}
        return Reason("setting", values | manners)
    if metric.name.startswith("widerface."):
        return _objection_to_data(metric, milestone, values)
    return None


def _objection_to_data(
    metric: Metric, milestone: Milestone, values: Mapping[str, object]
) -> Reason | None:
    """Return why METRIC is of other data than MILESTONE asks for; None where it isn't."""
    if metric.dataset != milestone.dataset:
        return Reason("dataset", {**values, "dataset": metric.dataset, "wanted": milestone.dataset})
    whole = WHOLE.get((metric.dataset, metric.split), metric.n)
    if not metric.complete or metric.n < whole:
        return Reason("partial", {**values, "whole": whole, "wanted": milestone.dataset})
    if _is_of_another_protocol(metric, milestone):
        wanted = {"protocol": metric.protocol, "wanted": milestone.protocol}
        return Reason("protocol", {**values, **wanted})
    return None


def _is_of_another_protocol(metric: Metric, milestone: Milestone) -> bool:
    wanted = milestone.protocol
    return bool(wanted) and metric.conditions.manner != from_text(wanted)


def _step(store: Store, run: Run, metric: Metric, milestone: Milestone, code: str) -> Reason | None:
    """Return what to do about an objection, by its CODE; None where no command helps."""
    if code in ("dataset", "partial"):
        return Reason(*remedies.for_data(store, run, metric, milestone.dataset))
    step = None
    if code == "protocol":
        step = remedies.for_protocol(store, run, metric, from_text(milestone.protocol))
    elif code == "setting":
        step = remedies.for_setting(store, run, from_text(milestone.setting))
    elif code == "disturbed":
        step = remedies.for_disturbance(run, metric.name)
    return None if step is None else Reason(*step)
