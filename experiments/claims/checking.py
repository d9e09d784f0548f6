"""Checking milestones: pass, fail, stale, or not measurable and why, with the margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.claims import remedies
from experiments.claims.claim_names import Vocabulary
from experiments.claims.evidence import Facts, Observation, Reason
from experiments.claims.margins import Resampled, margin
from experiments.claims.predicates import parse, references
from experiments.claims.three_valued_logic import comparisons, judge, shortcomings
from experiments.records.cache import CachedStore
from featherface.errors import NotFoundError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiments.claims.margins import Margin
    from experiments.claims.predicates import Claim
    from experiments.comparison.statistics import Interval
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.staleness.changes import Change
    from experiments.workspace.milestones import Milestone
    from experiments.workspace.workspace import Workspace

STATES = ("pass", "fail", "stale", "not_measurable")


@dataclass(frozen=True)
class Outcome:
    """What checking a milestone gave."""

    milestone: Milestone
    state: str
    """One of STATES."""
    reasons: tuple[Reason, ...]
    observations: tuple[Observation, ...]
    holds: bool | None = None
    """What the numbers say, stale or not; None where they don't decide."""
    certain: bool | None = None
    """Whether the other end of the intervals says the same; None where that is not known."""
    margins: tuple[Margin, ...] = ()
    """One per comparison whose numbers are known."""
    intervals: tuple[Interval | None, ...] = ()
    """Of each observation's AP, in their order."""
    changes: tuple[Change, ...] = ()
    """What the runs were made from that differs now."""
    steps: tuple[Reason, ...] = ()
    """What to do next; nothing where all is decided."""

    notes: tuple[Reason, ...] = ()
    """What changed without changing a number."""

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
        UsageError: a predicate can't be parsed or mistypes a name; the message says whose.
    """
    chosen = _chosen(workspace, names)
    examiner = Examiner(store or CachedStore(workspace))
    return [examiner.check(one) for one in chosen]


def check_milestone(store: Store, milestone: Milestone) -> Outcome:
    """Check one milestone against the runs of STORE."""
    return Examiner(store).check(milestone)


def parse_milestone(milestone: Milestone) -> Claim:
    """Return the claim of MILESTONE.

    Raises:
        UsageError: it can't be parsed; the message names the milestone.
    """
    try:
        return parse(milestone.predicate)
    except UsageError as error:
        text = f"milestones.{milestone.name}: {error.message}"
        raise UsageError(text, error.hint) from error


class Examiner:
    """Checks milestones against one state of the runs; each run is read once for all of them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.facts = Facts(store)
        self.vocabulary = Vocabulary(store)
        self.resampled = Resampled(store.workspace.state / "cache" / "resamples")

    def check(self, milestone: Milestone) -> Outcome:
        """Check one milestone.

        Raises:
            UsageError: its predicate can't be parsed or mistypes a name.
        """
        claim = parse_milestone(milestone)
        self.vocabulary.check(claim, f"milestones.{milestone.name}")
        asked = dict.fromkeys(references(claim))
        found = {one: self.facts.observe(one, milestone) for one in asked}
        margins = {one: margin(one, found, self.resampled) for one in comparisons(claim)}
        holds = judge(claim, margins)
        observed = tuple(found.values())
        if holds is None:
            return _unmeasured(milestone, observed)
        known = tuple(one for one in margins.values() if one)
        intervals = tuple(self._interval(one) for one in observed)
        changes = self._changes(observed)
        notes = self._notes(observed)
        if changes:
            reasons = tuple(Reason("change", {"change": one}) for one in changes)
            reasons += (Reason("stale-held" if holds else "stale-failed"),)
            todo = self._after(observed, changes)
            return Outcome(
                milestone,
                "stale",
                reasons,
                observed,
                holds,
                None,
                known,
                intervals,
                changes,
                todo,
                notes,
            )
        other = judge(claim, margins, "low" if holds else "high")
        certain = None if other is None else other == holds
        sure = certain is not False
        reasons = tuple(shortcomings(claim, found, margins, holds=holds, sure=sure))
        state = "pass" if holds else "fail"
        return Outcome(
            milestone, state, reasons, observed, holds, certain, known, intervals, notes=notes
        )

    def _interval(self, one: Observation) -> Interval | None:
        counts = one.run is not None and one.reason is None
        return (
            self.resampled.interval(one.run, one.reference.metric) if one.run and counts else None
        )

    def _changes(self, observed: Iterable[Observation]) -> tuple[Change, ...]:
        found = (
            change
            for one in observed
            if one.run and not one.reason
            for change in self.facts.changes(one.run, one.reference.metric)
        )
        return tuple(dict.fromkeys(found))

    def _notes(self, observed: Iterable[Observation]) -> tuple[Reason, ...]:
        """Say which code was rewritten without changing a number that counts."""
        found = (
            Reason("same-code", {"run": one.run.id, "details": ", ".join(families)})
            for one in observed
            if one.run and not one.reason
            if (families := self.facts.rewritten(one.run, one.reference.metric))
        )
        return _once(found)

    def _after(
        self, observed: Iterable[Observation], changes: tuple[Change, ...]
    ) -> tuple[Reason, ...]:
        """Say what to run again, or which version is up to date where `@best` means an older."""
        todo = [Reason(*one) for one in remedies.for_changes(self.store, changes)]
        for one in observed:
            fresh = self._fresh(one)
            if fresh is not None:
                values = {"fresh": fresh.id, "name": fresh.experiment}
                todo.append(Reason("step-fresh", values | {"selector": one.reference.selector}))
        return _once(todo)

    def _fresh(self, one: Observation) -> Run | None:
        """Return the latest version, if it is up to date but not the best one, which is meant."""
        run, metric = one.run, one.reference.metric
        if run is None or one.reason or one.reference.selector != f"{run.experiment}@best":
            return None
        later = [each for each in self.store.runs(run.experiment) if each.sealed]
        last = later[-1] if later else run
        if last == run or last.metric(metric) is None or not self.facts.changes(run, metric):
            return None
        return None if self.facts.changes(last, metric) else last


def _unmeasured(milestone: Milestone, observed: tuple[Observation, ...]) -> Outcome:
    missing = tuple(one.reason for one in observed if one.reason)
    todo = tuple(one.step for one in observed if one.step)
    if not missing:  # all numbers are there, but one divides by zero
        missing = (Reason("undefined", {"claim": milestone.predicate}),)
    return Outcome(milestone, "not_measurable", missing, observed, steps=_once(todo))


def _once(found: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple({one.text(): one for one in found}.values())


def _chosen(workspace: Workspace, names: Iterable[str] | None) -> list[Milestone]:
    known = workspace.milestones
    if names is None:
        return list(known.values())
    chosen = list(names)
    for name in chosen:
        if name not in known:
            raise NotFoundError(unknown("milestone", name, known), "thesis milestone list")
    return [known[name] for name in chosen]


__all__ = ["STATES", "Examiner", "Observation", "Outcome", "Reason", "check", "check_milestone"]
