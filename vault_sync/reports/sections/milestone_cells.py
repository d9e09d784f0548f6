"""The table cells of a checked claim: its state, the observed values, the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering.markdown import Safe, escape
from vault_sync.reports.sections.comparison_cache import write_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.claims.checking import ClaimOutcome
    from experiments.claims.evidence import Observation
    from experiments.comparison.statistics import Interval
    from vault_sync.rendering.page import Page

LINE = "<br>"


def title(page: Page, outcome: ClaimOutcome) -> Safe:
    """Write what a milestone claims in words, and its name."""
    milestone, words = outcome.milestone, page.words
    name = f"`{milestone.name}`"
    if not milestone.title:
        return Safe(name)
    return Safe(f"{words.sentence(milestone.titled(words.language))} ({name})")


def cells(page: Page, outcome: ClaimOutcome) -> tuple[Safe, Safe, Safe]:
    """Write state, observations and reasons of a claim, for a row of a table."""
    words = page.words
    values = [
        _observed(page, observation, interval)
        for observation, interval in zip(outcome.observations, _intervals(outcome), strict=True)
        if observation.metric
    ]
    why = [words.sentence(reason.text(words.language)) for reason in outcome.reasons]
    return (
        _state(page, outcome),
        Safe(LINE.join(dict.fromkeys(values))) or words.say("none"),
        Safe(LINE.join(dict.fromkeys(why))) or words.say("none"),
    )


def _state(page: Page, outcome: ClaimOutcome) -> Safe:
    sure = "_uncertain" if outcome.certain is False else ""
    return page.words.say(f"state.{outcome.state}{sure}")


def _intervals(outcome: ClaimOutcome) -> Sequence[Interval | None]:
    return outcome.intervals or [None] * len(outcome.observations)


def _observed(page: Page, observation: Observation, interval: Interval | None) -> Safe:
    """Write a value that was looked at, with its source and what data it speaks of."""
    words, metric = page.words, observation.metric
    if metric is None:
        return words.say("none")
    source = page.run(observation.run) if observation.run else escape(observation.source)
    text = f"{words.title(metric)} {words.value(metric)}{_range(page, observation, interval)}"
    whole = metric.dataset == "widerface" and metric.complete and observation.reason is None
    about = [words.short(metric)] if metric.dataset and not whole else []
    if metric.evidence == "imported" and metric.dataset:
        about = [words.short(metric)]
    elif metric.evidence != "measured":
        about = [words.say(f"evidence.{metric.evidence}", maker=escape(metric.maker))]
    if observation.selection and observation.selection.chosen_from > 1:
        about.append(words.say("best_of", n=words.number(observation.selection.chosen_from, ",")))
    return Safe(f"{source}{words.colon}{text}" + (f" ({', '.join(about)})" if about else ""))


def _range(page: Page, observation: Observation, interval: Interval | None) -> str:
    """Write the ends of the interval of an AP, or of a ratio of latencies."""
    if interval is None or observation.metric is None:
        return ""
    return write_interval(page.words, observation.metric.name, (interval.low, interval.high))
