"""Printing claims: by state, each with its numbers and reason."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from experiments.claims.checking import STATES
from experiments.metrics import SYNTHETIC, kind
from experiments.records.selection import SelectionNote
from experiments.wording.catalogue import phrase
from experiments.wording.phrases import Amount, say
from thesis_cli.language import TERMINAL
from thesis_cli.views.metric_titles import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.claims.checking import ClaimOutcome
    from experiments.claims.evidence import Observation, Reason
    from experiments.comparison.statistics import Interval
    from experiments.metrics import Metric

WIDEST = 100
"""Columns of prose where the terminal doesn't say how many there are."""
NARROWEST = 40
BELOW = " " * 6


def report(
    outcomes: Sequence[ClaimOutcome], columns: int | None, *, verbose: bool = False
) -> Iterator[str]:
    """Yield the lines about OUTCOMES: one section per state, then what to do next.

    VERBOSE ones say too which code changed without changing a number.
    """
    if not outcomes:
        yield say("claim_report.none", TERMINAL)
        return
    room = max(NARROWEST, columns or WIDEST)
    for state in STATES:
        section = [outcome for outcome in outcomes if outcome.state == state]
        if section:
            yield f"{say(f'claim_report.{state}', TERMINAL)} ({len(section)})\n"
            for alike in _alike(section):
                yield from _told(alike, room)
                for note in alike[0].notes:
                    if verbose or isinstance(note, SelectionNote):
                        yield _below(note.text(TERMINAL), room)
            yield ""
    todo = _todo(outcomes)
    if todo:
        yield f"{say('claim_report.next', TERMINAL)}\n"
        for step, names in todo.items():
            yield f"  {step}"  # never wrapped: it is there to be copied
            yield _below(say("claim_report.for", TERMINAL, names=", ".join(names)), room)
        yield ""
    reached = sum(outcome.state == "pass" for outcome in outcomes)
    total = say("claim_report.total", TERMINAL, reached=reached, total=len(outcomes))
    yield _below(total, room, "")


def _alike(section: Sequence[ClaimOutcome]) -> list[list[ClaimOutcome]]:
    """Put claims together of which the same is to be said: no number, and the same reasons."""
    groups: dict[object, list[ClaimOutcome]] = {}
    for outcome in section:
        said = (_reasons(outcome), tuple(note.text(TERMINAL) for note in outcome.notes))
        key = outcome.milestone.name if any(_observed(outcome)) else said
        groups.setdefault(key, []).append(outcome)
    return list(groups.values())


def _told(alike: Sequence[ClaimOutcome], room: int) -> Iterator[str]:
    """Yield the titles of claims, then the numbers and reasons that are said of all of them."""
    for outcome in alike:
        claim = outcome.milestone
        title = claim.titled(TERMINAL) if claim.title else claim.predicate
        yield textwrap.fill(f"  {claim.name}  {title}", room, subsequent_indent="    ")
    seen = list(_observed(alike[0]))
    if seen:
        yield _below(phrase("semicolon", TERMINAL).join(seen), room)
    for reason in _reasons(alike[0]):
        yield _below(reason, room)


def _reasons(outcome: ClaimOutcome) -> tuple[str, ...]:
    """Word the reasons of a claim's state, metrics by their titles."""
    return tuple(dict.fromkeys(_reason(each) for each in outcome.reasons))


def _reason(reason: Reason) -> str:
    metric = reason.values.get("metric")
    if not isinstance(metric, str):
        return reason.text(TERMINAL)
    values = {**reason.values, "metric": kind(metric).title(TERMINAL)}
    return replace(reason, values=values).text(TERMINAL)


def _observed(outcome: ClaimOutcome) -> Iterator[str]:
    """Yield the numbers that counted."""
    pairs = zip(outcome.observations, outcome.intervals, strict=False)
    for observation, interval in pairs:
        if observation.metric is not None and observation.reason is None:
            yield _value(observation, observation.metric, interval)


def _value(observation: Observation, metric: Metric, interval: Interval | None) -> str:
    value = Amount(metric.value, metric.unit).text(TERMINAL)
    if interval is not None:
        ends = [Amount(end, metric.unit).text(TERMINAL) for end in (interval.low, interval.high)]
        between = phrase("semicolon", TERMINAL)
        value += f" [{between.join(ends)}]"
    about = (
        (observation.source,)
        if metric.evidence == "measured"
        else (observation.source, metric.evidence, *([metric.maker] if metric.maker else []))
    )
    about += (say("data_plot.kind_synthetic", TERMINAL),) if metric.dataset == SYNTHETIC else ()
    title = title_of(metric.name, [metric.conditions])
    return say("claim_report.value", TERMINAL, title=title, value=value, source=about)


def _todo(outcomes: Sequence[ClaimOutcome]) -> dict[str, list[str]]:
    """Return what to do -> the milestones that wait for it."""
    by_reason: dict[str, list[str]] = {}
    for outcome in outcomes:
        for step in outcome.steps:
            by_reason.setdefault(step.text(TERMINAL), []).append(outcome.milestone.name)
    return by_reason


def _below(text: str, room: int, indent: str = BELOW) -> str:
    return textwrap.fill(
        text, room, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
