"""The table cells of a checked claim: its state, the observed values, the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.claims.checking import parse_milestone
from vault_sync.rendering.claim_words import claim_in_words, reason_in_words
from vault_sync.rendering.markdown import Safe, escape
from vault_sync.reports.sections.comparison_cache import write_interval
from vault_sync.reports.sections.shared_cells import SharedNotes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from experiments.claims.checking import ClaimOutcome
    from experiments.claims.evidence import Observation
    from experiments.comparison.statistics import Interval
    from vault_sync.rendering.page import Page

LINE = "<br>"


def title(page: Page, outcome: ClaimOutcome) -> Safe:
    """Write what a milestone claims in the words of its title; its name where it has none."""
    milestone, words = outcome.milestone, page.words
    if not milestone.title:
        return Safe(f"`{milestone.name}`")
    return words.sentence(milestone.titled(words.language))


def claimed(page: Page, outcome: ClaimOutcome) -> Safe:
    """Write what exactly is claimed, in words."""
    claim = parse_milestone(outcome.milestone)
    return claim_in_words(claim, page.words, page.sources.workspace.cited)


def notes_of(page: Page, outcomes: Iterable[ClaimOutcome]) -> SharedNotes:
    """Return the notes of a block that shows OUTCOMES: on what data, and why."""
    return SharedNotes(
        [
            *(
                note
                for observation in outcome.observations
                if observation.metric
                for note in _about(page, observation)
            ),
            *_why(page, outcome),
        ]
        for outcome in outcomes
    )


def cells(page: Page, outcome: ClaimOutcome, notes: SharedNotes) -> tuple[Safe, Safe, Safe]:
    """Write state, observations and reasons of a claim, for a row of a table.

    What other rows say as well is a letter of NOTES.
    """
    words = page.words
    values = [
        _observed(page, observation, interval, notes)
        for observation, interval in zip(outcome.observations, _intervals(outcome), strict=True)
        if observation.metric
    ]
    why = dict.fromkeys(notes.write(reason) for reason in _why(page, outcome))
    return (
        _state(page, outcome),
        Safe(LINE.join(dict.fromkeys(values))) or words.say("none"),
        Safe(LINE.join(why)) or words.say("none"),
    )


def _why(page: Page, outcome: ClaimOutcome) -> list[Safe]:
    cited = page.sources.workspace.cited
    return [reason_in_words(reason, page.words, cited) for reason in outcome.reasons]


def _state(page: Page, outcome: ClaimOutcome) -> Safe:
    sure = "_uncertain" if outcome.certain is False else ""
    return page.words.say(f"state.{outcome.state}{sure}")


def _intervals(outcome: ClaimOutcome) -> Sequence[Interval | None]:
    return outcome.intervals or [None] * len(outcome.observations)


def _observed(
    page: Page, observation: Observation, interval: Interval | None, notes: SharedNotes
) -> Safe:
    """Write a value that was looked at, with its source and what data it speaks of."""
    words, metric = page.words, observation.metric
    if metric is None:
        return words.say("none")
    source = page.run(observation.run) if observation.run else escape(observation.source)
    text = f"{words.title(metric)} {words.value(metric)}{_range(page, observation, interval)}"
    return Safe(f"{source}{words.colon}{text}{notes.beside(_about(page, observation))}")


def _about(page: Page, observation: Observation) -> list[Safe]:
    """Say on what data a value was taken, whose it is, and out of how many it was chosen."""
    words, metric = page.words, observation.metric
    if metric is None:
        return []
    whole = metric.dataset == "widerface" and metric.complete and observation.reason is None
    about = [words.short(metric)] if metric.dataset and not whole else []
    if metric.evidence == "imported" and metric.dataset:
        about = [words.short(metric)]
    elif metric.evidence != "measured":
        about = [words.say(f"evidence.{metric.evidence}", maker=escape(metric.maker))]
    if observation.selection and observation.selection.chosen_from > 1:
        about.append(words.say("best_of", n=words.number(observation.selection.chosen_from, ",")))
    return about


def _range(page: Page, observation: Observation, interval: Interval | None) -> str:
    """Write the ends of the interval of an AP, or of a ratio of latencies."""
    if interval is None or observation.metric is None:
        return ""
    return write_interval(page.words, observation.metric.name, (interval.low, interval.high))
