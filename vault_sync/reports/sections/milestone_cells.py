"""A claim and what was found of it, as the cells of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering.markdown import Safe, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.claims.checking import Outcome
    from experiments.claims.evidence import Observation
    from experiments.comparison.statistics import Interval
    from vault_sync.rendering.page import Page

LINE = "<br>"


def title(page: Page, outcome: Outcome) -> Safe:
    """Write what a milestone claims in words, and its name."""
    milestone, words = outcome.milestone, page.words
    name = f"`{milestone.name}`"
    if not milestone.title:
        return Safe(name)
    return Safe(f"{words.sentence(milestone.titled(words.language))} ({name})")


def cells(page: Page, outcome: Outcome) -> tuple[Safe, Safe, Safe]:
    """Write state, observations and reasons of a claim, for a row of a table."""
    words = page.words
    seen = [
        _observed(page, one, interval)
        for one, interval in zip(outcome.observations, _intervals(outcome), strict=True)
        if one.metric
    ]
    why = [words.sentence(one.text(words.language)) for one in outcome.reasons]
    return (
        _state(page, outcome),
        Safe(LINE.join(dict.fromkeys(seen))) or words.say("none"),
        Safe(LINE.join(dict.fromkeys(why))) or words.say("none"),
    )


def _state(page: Page, outcome: Outcome) -> Safe:
    sure = "_uncertain" if outcome.certain is False else ""
    return page.words.say(f"state.{outcome.state}{sure}")


def _intervals(outcome: Outcome) -> Sequence[Interval | None]:
    return outcome.intervals or [None] * len(outcome.observations)


def _observed(page: Page, one: Observation, interval: Interval | None) -> Safe:
    """Write a value that was looked at, with its source and what data it speaks of."""
    words, metric = page.words, one.metric
    if metric is None:
        return words.say("none")
    source = page.run(one.run) if one.run else escape(one.source)
    text = f"{words.title(metric)} {words.value(metric)}{_range(page, one, interval)}"
    whole = metric.dataset == "widerface" and metric.complete and one.reason is None
    about = [words.short(metric)] if metric.dataset and not whole else []
    if metric.evidence != "measured":
        about = [words.say(f"evidence.{metric.evidence}")]
    return Safe(f"{source}{words.colon}{text}" + (f" ({', '.join(about)})" if about else ""))


def _range(page: Page, one: Observation, interval: Interval | None) -> str:
    """Write the ends of an AP's interval."""
    if interval is None or one.metric is None:
        return ""
    places = one.metric.kind.places
    ends = [page.words.number(100 * end, f".{places}f") for end in (interval.low, interval.high)]
    return page.words.say("range", low=ends[0], high=ends[1])
