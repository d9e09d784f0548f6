"""Whether a milestone holds: pass, fail, stale, or not measurable and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.predicates import (
    COMPARE,
    COMPUTE,
    Claim,
    Combination,
    Comparison,
    Negation,
    Number,
    Reference,
    Term,
    parse,
    references,
)
from experiments.staleness import changes
from experiments.store import Run, Store
from experiments.wording import say
from featherface.errors import NotFoundError, ThesisError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.metrics import Metric
    from experiments.milestones import Milestone
    from experiments.workspace import Workspace

STATES = ("pass", "fail", "stale", "not_measurable")
SETTLED = ("latency.", "memory.")
"""Metrics that mean little without the picture's size: a small picture makes any network fast."""
WHOLE = {("widerface", "val"): 3226, ("widerface", "train"): 12_880}
"""Images in the official splits."""


@dataclass(frozen=True)
class Reason:
    """Why something is so, in words of either language."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """Return the sentence in LANGUAGE."""
        return say(self.code, language, **self.values)


@dataclass(frozen=True)
class Observation:
    """One metric that a claim speaks of, as it was found."""

    reference: Reference
    run: Run | None = None
    metric: Metric | None = None
    reason: Reason | None = None
    """Why the metric doesn't count; None where it does."""


@dataclass(frozen=True)
class Outcome:
    """What checking a milestone gave."""

    milestone: Milestone
    state: str
    """One of STATES."""
    reasons: tuple[Reason, ...]
    observations: tuple[Observation, ...]

    def reason(self, language: str = "en") -> str:
        """Return the reasons as one text in LANGUAGE; empty for a plain pass."""
        return "; ".join(dict.fromkeys(one.text(language) for one in self.reasons))

    @property
    def runs(self) -> tuple[Run, ...]:
        """The runs whose metrics were looked at, each once."""
        return tuple(dict.fromkeys(one.run for one in self.observations if one.run))


def check(
    workspace: Workspace, names: Iterable[str] | None = None, store: Store | None = None
) -> list[Outcome]:
    """Check the workspace's milestones (those called NAMES, or all).

    Raises:
        NotFoundError: there is no milestone of that name.
        UsageError: a predicate can't be parsed; the message names its milestone.
    """
    store = store or Store(workspace)
    return [check_milestone(store, one) for one in _chosen(workspace, names)]


def check_milestone(store: Store, milestone: Milestone) -> Outcome:
    """Check one milestone against the runs of STORE."""
    try:
        claim = parse(milestone.predicate)
    except UsageError as error:
        text = f"milestones.{milestone.name}: {error.message}"
        raise UsageError(text, error.hint) from error
    found = {one: observe(store, one, milestone) for one in dict.fromkeys(references(claim))}
    holds = _judge(claim, found)
    missing = tuple(one.reason for one in found.values() if one.reason)
    observed = tuple(found.values())
    if holds is None:
        return Outcome(milestone, "not_measurable", missing, observed)
    stale = tuple(
        Reason("stale", {"run": run.id, "what": change})
        for run in dict.fromkeys(one.run for one in observed if one.run and not one.reason)
        for change in changes(run, store.workspace)
    )
    if stale:
        return Outcome(milestone, "stale", stale, observed)
    reasons = () if holds else tuple(_shortfalls(claim, found))
    return Outcome(milestone, "pass" if holds else "fail", reasons, observed)


def observe(store: Store, reference: Reference, milestone: Milestone) -> Observation:
    """Return the metric that REFERENCE names, and why it doesn't count, where it doesn't."""
    try:
        run = store.find(reference.selector)
    except NotFoundError:
        return Observation(reference, reason=Reason("no-run", {"run": reference.selector}))
    if not run.sealed:
        return Observation(reference, run, reason=Reason("unsealed", {"run": run.id}))
    try:
        if store.problems(run):
            return Observation(reference, run, reason=Reason("changed", {"run": run.id}))
        metric = run.metric(reference.metric)
    except ThesisError:
        return Observation(reference, run, reason=Reason("changed", {"run": run.id}))
    if metric is None:
        values = {"run": run.id, "metric": reference.metric}
        return Observation(reference, run, reason=Reason("no-metric", values))
    return Observation(reference, run, metric, _objection(run, metric, milestone))


def _objection(run: Run, metric: Metric, milestone: Milestone) -> Reason | None:
    """Return why METRIC is no evidence for MILESTONE; None where it is."""
    values: dict[str, object] = {"run": run.id, "metric": metric.name, "n": metric.n}
    if metric.evidence not in milestone.evidence:
        return Reason("evidence", values | {"evidence": metric.evidence})
    if metric.name.startswith(SETTLED) and not metric.protocol.startswith(milestone.setting):
        wanted = {"protocol": metric.protocol, "wanted": milestone.setting}
        return Reason("setting", values | wanted)
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
    if milestone.protocol and metric.protocol != milestone.protocol:
        wanted = {"protocol": metric.protocol, "wanted": milestone.protocol}
        return Reason("protocol", {**values, **wanted})
    return None


def _judge(claim: Claim, found: Mapping[Reference, Observation]) -> bool | None:
    """Return whether CLAIM holds; None where what is known does not decide it."""
    if isinstance(claim, Comparison):
        left, right = _number(claim.left, found), _number(claim.right, found)
        return None if left is None or right is None else COMPARE[claim.sign](left, right)
    if isinstance(claim, Negation):
        inner = _judge(claim.part, found)
        return None if inner is None else not inner
    parts = [_judge(part, found) for part in claim.parts]
    decisive = claim.word == "or"
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def _number(term: Term, found: Mapping[Reference, Observation]) -> float | None:
    if isinstance(term, Number):
        return term.value
    if isinstance(term, Reference):
        one = found[term]
        return None if one.reason or one.metric is None else one.metric.value
    left, right = _number(term.left, found), _number(term.right, found)
    if left is None or right is None or (term.sign == "/" and right == 0):
        return None
    return COMPUTE[term.sign](left, right)


def _shortfalls(claim: Claim, found: Mapping[Reference, Observation]) -> Iterable[Reason]:
    """Yield each comparison that does not hold, with the numbers."""
    if isinstance(claim, Comparison) and _judge(claim, found) is False:
        left, right = _number(claim.left, found), _number(claim.right, found)
        values = {"claim": str(claim), "left": left, "right": right, "sign": claim.sign}
        yield Reason("shortfall", values)
    elif isinstance(claim, Combination):
        for part in claim.parts:
            yield from _shortfalls(part, found)
    elif isinstance(claim, Negation):
        yield Reason("negation", {"claim": str(claim.part)})


def _chosen(workspace: Workspace, names: Iterable[str] | None) -> list[Milestone]:
    known = workspace.milestones
    if names is None:
        return list(known.values())
    chosen = list(names)
    for name in chosen:
        if name not in known:
            raise NotFoundError(unknown("milestone", name, known), "thesis milestone list")
    return [known[name] for name in chosen]
