"""The milestone board: each claim of the thesis, checked against sealed runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault_sync.context import Page, table
from vault_sync.rendering import Safe, code, escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.checking import Outcome
    from experiments.evidence import Observation
    from experiments.statistics import Interval

COLUMNS = ("milestone", "state", "observed", "why")
LINE = "<br>"


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/milestones.jinja shows; None where nothing is claimed.

    Raises:
        RefusedError: a claim can't be read or mistypes a name; the message says which.
    """
    from experiments.certainty import RESAMPLES, SEED  # noqa: PLC0415 - only the board needs it

    outcomes = page.sources.outcomes
    if not outcomes:
        return None
    groups = dict.fromkeys(one.milestone.group for one in outcomes)
    sampled = any(interval for one in outcomes for interval in one.intervals)
    return {
        "reached": sum(outcome.state == "pass" for outcome in outcomes),
        "total": len(outcomes),
        "groups": [
            _group(page, name, [one for one in outcomes if one.milestone.group == name])
            for name in groups
        ],
        "resamples": page.words.number(RESAMPLES, ",") if sampled else "",
        "seed": str(SEED),
    }


def _group(page: Page, name: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    words = page.words
    headers = [words.say(f"column.{key}") for key in COLUMNS]
    return {
        "title": words.name("group", name or "other"),
        "table": table(headers, [_row(page, outcome) for outcome in outcomes]),
    }


def _row(page: Page, outcome: Outcome) -> list[object]:
    state, seen, why = cells(page, outcome)
    return [
        Safe(f"{title(page, outcome)}{LINE}{code(outcome.milestone.predicate)}"),
        state,
        seen,
        why,
    ]


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
