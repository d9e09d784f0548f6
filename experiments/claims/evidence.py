"""Evidence for a claim: the observations of its metrics, and why one does not count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from experiments.claims import remedies
from experiments.claims.candidate_runs import candidates
from experiments.conditions import TIMED
from experiments.conditions_text import MeasurementSettings
from experiments.earlier_conditions import from_text
from experiments.records.seal import only_line_ends, remedy
from experiments.staleness.changes import changes, rewritten
from experiments.staleness.families import families
from experiments.wording.phrases import Sentence
from featherface.errors import NotFoundError, ThesisError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.claims.predicates import Reference
    from experiments.metrics import Metric
    from experiments.records.run import Run
    from experiments.records.seal import Problem
    from experiments.records.store import Store
    from experiments.staleness.changes import Change
    from experiments.workspace.milestones import Milestone

WHOLE = {("widerface", "val"): 3226, ("widerface", "train"): 12_880}
"""Images in the official splits."""


@dataclass(frozen=True)
class Reason(Sentence):
    """Why something is so, or what to do about it, in words of either language."""

    TABLE = "reason"


@dataclass(frozen=True)
class Observation:
    """One metric that a claim speaks of, as it was found."""

    reference: Reference
    run: Run | None = None
    """The run that measured it; None where none did, or the value is cited."""
    metric: Metric | None = None
    reason: Reason | None = None
    """Why the metric doesn't count; None where it does."""
    step: Reason | None = None
    """What to do so that it would."""
    asked: Run | None = None
    """The run that the claim's selector means, where another one of its versions answers."""

    @property
    def source(self) -> str:
        """The run's id, or the name of the cited result."""
        return self.run.id if self.run else self.reference.selector


class Facts:
    """The runs of a workspace as one check sees them: each record is verified and compared once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._damage: dict[Run, Sequence[Problem]] = {}
        self._changes: dict[tuple[Run, tuple[str, ...]], tuple[Change, ...]] = {}
        self._seen: dict[tuple[object, ...], Observation] = {}

    def observe(self, reference: Reference, milestone: Milestone) -> Observation:
        """Return the metric that REFERENCE names, and why it doesn't count, where it doesn't.

        Of the versions that may speak for the one meant, the first whose value counts and is
        fresh answers; else the first that counts, unless the one meant was measured in another
        way: then it says why that doesn't count. Where no run's value counts, a cited result of
        that name may, if MILESTONE lets it.
        """
        asked = (milestone.dataset, milestone.protocol, milestone.setting, milestone.evidence)
        key = (reference, *asked)
        if key not in self._seen:
            self._seen[key] = _observe(self, reference, milestone)
        return self._seen[key]

    def damage(self, run: Run) -> Sequence[Problem]:
        """Return how the sealed record of RUN was changed; nothing where it wasn't."""
        if run not in self._damage:
            self._damage[run] = self.store.problems(run)
        return self._damage[run]

    def changes(self, run: Run, metric: str) -> tuple[Change, ...]:
        """Return what changed since of all that METRIC of RUN follows from."""
        key = (run, families(run, metric))
        if key not in self._changes:
            self._changes[key] = changes(run, self.store, key[1])
        return self._changes[key]

    def rewritten(self, run: Run, metric: str) -> tuple[str, ...]:
        """Return the families behind METRIC of RUN whose code differs and computes the same."""
        return rewritten(run, self.store, families(run, metric))


def _observe(facts: Facts, reference: Reference, milestone: Milestone) -> Observation:
    meant: Observation | None = None
    counting: Observation | None = None
    try:
        for run in candidates(facts.store, reference.selector, reference.metric):
            found = _of_run(facts, reference, run, milestone)
            meant = meant or found
            if found.reason is None:
                found = found if run == meant.run else replace(found, asked=meant.run)
                if not facts.changes(run, reference.metric):
                    return found
                silent = meant.reason is not None and meant.reason.code != "no-metric"
                counting = counting or (None if silent else found)
    except NotFoundError:
        reason = Reason("no-run", {"run": reference.selector})
        step = Reason(*remedies.for_missing_run(facts.store, reference.selector))
        meant = Observation(reference, reason=reason, step=step)
    if counting is not None:
        return counting
    cited = _of_citation(facts.store, reference, milestone)
    if cited is not None and (cited.reason is None or meant is None or meant.run is None):
        return cited
    return meant or Observation(reference, reason=Reason("no-run", {"run": reference.selector}))


def _of_run(facts: Facts, reference: Reference, run: Run, milestone: Milestone) -> Observation:
    store = facts.store
    if not run.sealed:
        step = Reason("step", {"command": f"thesis run {run.experiment} --resume"})
        return Observation(reference, run, None, Reason("unsealed", {"run": run.id}), step)
    problems: Sequence[Problem] = ()
    metric, readable = None, True
    try:
        problems = facts.damage(run)
        metric = None if problems else run.metric(reference.metric)
    except ThesisError:
        readable = False
    if problems or not readable:
        step = Reason("step", {"command": remedy(problems, run.id)})
        how = "line-ends" if only_line_ends(problems) else "changed"
        return Observation(reference, run, None, Reason(how, {"run": run.id}), step)
    if metric is None:
        values = {"run": run.id, "metric": reference.metric}
        step = Reason(*remedies.for_missing_metric(store, run, reference.metric))
        return Observation(reference, run, None, Reason("no-metric", values), step)
    reason = objection(run.id, metric, milestone)
    todo = None if reason is None else _step(store, run, metric, milestone, reason.code)
    return Observation(reference, run, metric, reason, todo)


def _of_citation(store: Store, reference: Reference, milestone: Milestone) -> Observation | None:
    cited = store.workspace.cited.get(reference.selector)
    if cited is None:
        return None
    metric = cited.metric(reference.metric)
    if metric is None:
        values = {"run": cited.name, "metric": reference.metric}
        return Observation(reference, reason=Reason("not-cited", values))
    reason = objection(cited.name, metric, milestone)
    step = None
    if reason is not None and reason.code == "evidence":
        kinds = ", ".join(f'"{one}"' for one in (*milestone.evidence, metric.evidence))
        step = Reason("step-evidence", {"milestone": milestone.name, "kinds": kinds})
    return Observation(reference, None, metric, reason, step)


def objection(source: str, metric: Metric, milestone: Milestone) -> Reason | None:
    """Return why METRIC is no evidence for MILESTONE; None where it is."""
    values: dict[str, object] = {"run": source, "metric": metric.name, "n": metric.n}
    if metric.evidence not in milestone.evidence:
        wanted = {"evidence": metric.evidence, "wanted": milestone.evidence}
        return Reason("evidence", values | wanted)
    if metric.evidence != "measured":
        wanted = {"protocol": metric.protocol, "wanted": milestone.protocol}
        other = metric.dataset and _is_of_another_protocol(metric, milestone)
        return Reason("protocol", values | wanted) if other else None
    if metric.name.startswith(TIMED) and not metric.conditions.meets(from_text(milestone.setting)):
        setting = MeasurementSettings((from_text(milestone.setting),))
        taken = {"protocol": MeasurementSettings((metric.conditions.manner,)), "wanted": setting}
        return Reason("setting", values | taken)
    if metric.name.startswith("widerface."):
        return _objection_to_data(metric, milestone, values)
    return None


def _objection_to_data(
    metric: Metric, milestone: Milestone, values: Mapping[str, object]
) -> Reason | None:
    """Return why METRIC was not taken on what MILESTONE speaks of; None where it was."""
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
    """Return what to do about the objection CODE."""
    if code in ("dataset", "partial"):
        return Reason(*remedies.for_data(store, run, metric, milestone.dataset))
    step = None
    if code == "protocol":
        step = remedies.for_protocol(store, run, metric, from_text(milestone.protocol))
    elif code == "setting":
        step = remedies.for_setting(store, run, from_text(milestone.setting))
    return None if step is None else Reason(*step)
