"""Checking milestones: pass, fail, stale, or not measurable and why, with the margin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from experiments.claims import remedies
from experiments.claims.claim_names import Vocabulary
from experiments.claims.evidence import Facts, Observation, Reason
from experiments.claims.margins import Resampled, margin
from experiments.claims.predicates import metric_terms, parse
from experiments.claims.three_valued_logic import judge, relations, shortcomings
from experiments.comparison.timings import ratio_interval
from experiments.records.cache import CachedStore
from experiments.wording.phrases import Sentence
from featherface.errors import NotFoundError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from experiments.claims.margins import Margin
    from experiments.claims.predicates import Claim
    from experiments.comparison.statistics import Interval
    from experiments.records.run import Run
    from experiments.records.seal import Problem
    from experiments.records.store import Store
    from experiments.staleness.changes import ProvenanceChange
    from experiments.workspace.milestones import Milestone
    from experiments.workspace.workspace import Workspace

Said = TypeVar("Said", bound=Sentence)
STAGE_ALONE = re.compile(r"(thesis run \S+) --stage \w+")
STATES = ("pass", "fail", "stale", "not_measurable")


@dataclass(frozen=True)
class ClaimOutcome:
    """State of one milestone, with the runs, reasons and numbers behind it."""

    milestone: Milestone
    state: str
    """One of STATES."""
    reasons: tuple[Reason, ...]
    observations: tuple[Observation, ...]
    holds: bool | None = None
    """Whether the claim holds by the values, stale or not; None where they don't decide."""
    certain: bool | None = None
    """Whether it holds (or fails) at the unfavourable interval ends too; None where not known."""
    margins: tuple[Margin, ...] = ()
    """One per relation whose values are known."""
    intervals: tuple[Interval | None, ...] = ()
    """95 % interval of each observation's AP or ratio, in the order of `observations`."""
    changes: tuple[ProvenanceChange, ...] = ()
    """What differs now of the data, code and parents that the runs were made from."""
    steps: tuple[Reason, ...] = ()
    """What to do next; empty where nothing is open."""
    notes: tuple[Sentence, ...] = ()
    """Versions passed over, out of how many `@best` was chosen, code rewritten without effect."""

    def reason(self, language: str = "en") -> str:
        """Return the reasons as one text in LANGUAGE; empty for a plain pass."""
        return "; ".join(dict.fromkeys(reason.text(language) for reason in self.reasons))

    @property
    def runs(self) -> tuple[Run, ...]:
        """The observed runs, each once."""
        return tuple(dict.fromkeys(observed.run for observed in self.observations if observed.run))


def check(
    workspace: Workspace, names: Iterable[str] | None = None, store: Store | None = None
) -> list[ClaimOutcome]:
    """Check the workspace's milestones (those called NAMES, or all).

    Raises:
        NotFoundError: there is no milestone of that name.
        UsageError: a predicate can't be parsed or mistypes a name; the message says whose.
    """
    milestones = _milestones_called(workspace, names)
    examiner = Examiner(store or CachedStore(workspace))
    return [examiner.check(milestone) for milestone in milestones]


def damaged_runs(
    store: Store, milestones: Iterable[Milestone]
) -> list[tuple[Run, Sequence[Problem]]]:
    """Return the runs that MILESTONES may look at and whose records are not as sealed, and why.

    A damaged version of an experiment may be the very one that `@best` would mean.
    """
    terms = [term for each in milestones for term in metric_terms(parse_milestone(each))]
    names = dict.fromkeys(term.selector.partition("@")[0] for term in terms)
    runs = [run for name in names for run in store.runs(name) if run.sealed]
    labels = store.labels()
    runs += [labels[name] for name in names if name in labels and labels[name].sealed]
    return [(run, problems) for run in dict.fromkeys(runs) if (problems := store.problems(run))]


def check_milestone(store: Store, milestone: Milestone) -> ClaimOutcome:
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
    """Checks milestones against the runs of a store; each run is read once for all milestones."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.facts = Facts(store)
        self.vocabulary = Vocabulary(store)
        self.resampled = Resampled(store.workspace.state / "cache" / "resamples")

    def check(self, milestone: Milestone) -> ClaimOutcome:
        """Check one milestone.

        Raises:
            UsageError: its predicate can't be parsed or mistypes a name.
        """
        claim = parse_milestone(milestone)
        self.vocabulary.check(claim, f"milestones.{milestone.name}")
        terms = dict.fromkeys(metric_terms(claim))
        observations = {term: self.facts.observe(term, milestone) for term in terms}
        margins = {
            relation: margin(relation, observations, self.resampled)
            for relation in relations(claim)
        }
        holds = judge(claim, margins)
        observed = tuple(observations.values())
        if holds is None:
            return _unmeasured(milestone, observed, self._notes(observed))
        known_margins = tuple(known for known in margins.values() if known)
        intervals = tuple(self._interval(observation) for observation in observed)
        changes = self._changes(observed)
        notes = self._notes(observed)
        if changes:
            reasons = tuple(Reason("change", {"change": change}) for change in changes)
            reasons += (Reason("stale-held" if holds else "stale-failed"),)
            steps = self._next_steps(observed, changes)
            return ClaimOutcome(
                milestone,
                "stale",
                reasons,
                observed,
                holds,
                None,
                known_margins,
                intervals,
                changes,
                steps,
                notes,
            )
        holds_at_end = judge(claim, margins, "low" if holds else "high")
        certain = None if holds_at_end is None else holds_at_end == holds
        sure = certain is not False
        reasons = tuple(shortcomings(claim, observations, margins, holds=holds, sure=sure))
        state = "pass" if holds else "fail"
        return ClaimOutcome(
            milestone,
            state,
            reasons,
            observed,
            holds,
            certain,
            known_margins,
            intervals,
            notes=notes,
        )

    def _interval(self, observation: Observation) -> Interval | None:
        if observation.run is None or observation.reason is not None:
            return None
        run, metric = observation.run, observation.term.metric
        return self.resampled.interval(run, metric) or ratio_interval(run, metric)

    def _changes(self, observed: Iterable[Observation]) -> tuple[ProvenanceChange, ...]:
        changes = (
            change
            for observation in observed
            if observation.run and not observation.reason
            for change in self.facts.changes(observation.run, observation.term.metric)
        )
        return tuple(dict.fromkeys(changes))

    def _notes(self, observed: Sequence[Observation]) -> tuple[Sentence, ...]:
        """Return how selectors were read, and which code changed without changing a number."""
        chosen = [note for each in observed if each.selection for note in each.selection.notes]
        rewritten = (
            Reason("same-code", {"run": observation.run.id, "details": ", ".join(families)})
            for observation in observed
            if observation.run and not observation.reason
            if (families := self.facts.rewritten(observation.run, observation.term.metric))
        )
        return _distinct([*chosen, *rewritten])

    def _next_steps(
        self, observed: Iterable[Observation], changes: tuple[ProvenanceChange, ...]
    ) -> tuple[Reason, ...]:
        """Return what to run again, and the up-to-date version where `@best` is an older one."""
        steps = [Reason(*step) for step in remedies.for_changes(self.store, changes)]
        for observation in observed:
            up_to_date = self._fresh_version(observation)
            if up_to_date is not None:
                values = {"fresh": up_to_date.id, "name": up_to_date.experiment}
                steps.append(Reason("step-fresh", values | {"selector": observation.term.selector}))
        return _distinct(steps)

    def _fresh_version(self, observation: Observation) -> Run | None:
        """Return the latest version where the term's `@best` is stale and the latest is not."""
        run, metric = observation.run, observation.term.metric
        if (
            run is None
            or observation.reason
            or observation.term.selector != f"{run.experiment}@best"
        ):
            return None
        versions = [version for version in self.store.runs(run.experiment) if version.sealed]
        latest = versions[-1] if versions else run
        if latest == run or latest.metric(metric) is None or not self.facts.changes(run, metric):
            return None
        return None if self.facts.changes(latest, metric) else latest


def _unmeasured(
    milestone: Milestone, observed: tuple[Observation, ...], notes: tuple[Sentence, ...]
) -> ClaimOutcome:
    reasons = tuple(observation.reason for observation in observed if observation.reason)
    proposed = tuple(observation.step for observation in observed if observation.step)
    if not reasons:  # all numbers are there, but one divides by zero
        reasons = (Reason("undefined", {"claim": milestone.predicate}),)
    steps = tuple(_needed(_distinct(proposed)))
    return ClaimOutcome(milestone, "not_measurable", reasons, observed, steps=steps, notes=notes)


def _needed(steps: Iterable[Reason]) -> list[Reason]:
    """Return STEPS without a stage alone of an experiment that another of them runs whole."""
    chosen = list(steps)
    commands = {step.values.get("command") for step in chosen}
    return [
        step
        for step in chosen
        if not (match := STAGE_ALONE.fullmatch(str(step.values.get("command", ""))))
        or match[1] not in commands
    ]


def _distinct(sentences: Iterable[Said]) -> tuple[Said, ...]:
    return tuple({sentence.text(): sentence for sentence in sentences}.values())


def _milestones_called(workspace: Workspace, names: Iterable[str] | None) -> list[Milestone]:
    milestones = workspace.milestones
    if names is None:
        return list(milestones.values())
    chosen = list(names)
    for name in chosen:
        if name not in milestones:
            raise NotFoundError(unknown("milestone", name, milestones), "thesis milestone list")
    return [milestones[name] for name in chosen]


__all__ = [
    "STATES",
    "ClaimOutcome",
    "Examiner",
    "Observation",
    "Reason",
    "check",
    "check_milestone",
    "damaged_runs",
]
