"""Printing claims: by state, each with its numbers and reason."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from experiments.claims.checking import STATES
from experiments.metrics import SYNTHETIC, kind
from experiments.records.selection import SelectionNote
from experiments.wording.catalogue import phrase
from experiments.wording.phrases import Amount, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.claims.checking import ClaimOutcome
    from experiments.claims.evidence import Observation
    from experiments.comparison.statistics import Interval
    from experiments.metrics import Metric

WIDEST = 100
"""Columns of prose where the terminal doesn't say how many there are."""
NARROWEST = 40
BELOW = " " * 6


def report(
    outcomes: Sequence[ClaimOutcome], language: str, columns: int | None, *, verbose: bool = False
) -> Iterator[str]:
    """Yield the lines about OUTCOMES: one section per state, then what to do next.

    VERBOSE ones say too which code changed without changing a number.
    """
    if not outcomes:
        yield say("claim_report.none", language)
        return
    room = max(NARROWEST, columns or WIDEST)
    for state in STATES:
        section = [outcome for outcome in outcomes if outcome.state == state]
        if section:
            yield f"{say(f'claim_report.{state}', language)} ({len(section)})\n"
            for outcome in section:
                yield from _told(outcome, language, room)
                for note in outcome.notes:
                    if verbose or isinstance(note, SelectionNote):
                        yield _below(note.text(language), room)
            yield ""
    todo = _todo(outcomes, language)
    if todo:
        yield f"{say('claim_report.next', language)}\n"
        for step, names in todo.items():
            yield f"  {step}"  # never wrapped: it is there to be copied
            yield _below(say("claim_report.for", language, names=", ".join(names)), room)
        yield ""
    reached = sum(outcome.state == "pass" for outcome in outcomes)
    total = say("claim_report.total", language, reached=reached, total=len(outcomes))
    yield _below(total, room, "")


def _told(outcome: ClaimOutcome, language: str, room: int) -> Iterator[str]:
    claim = outcome.milestone
    title = claim.titled(language) if claim.title else claim.predicate
    yield textwrap.fill(f"  {claim.name}  {title}", room, subsequent_indent="    ")
    seen = list(_observed(outcome, language))
    if seen:
        yield _below(phrase("semicolon", language).join(seen), room)
    for reason in dict.fromkeys(each.text(language) for each in outcome.reasons):
        yield _below(reason, room)


def _observed(outcome: ClaimOutcome, language: str) -> Iterator[str]:
    """Yield the numbers that counted."""
    pairs = zip(outcome.observations, outcome.intervals, strict=False)
    for observation, interval in pairs:
        if observation.metric is not None and observation.reason is None:
            yield _value(observation, observation.metric, interval, language)


def _value(
    observation: Observation, metric: Metric, interval: Interval | None, language: str
) -> str:
    value = Amount(metric.value, metric.unit).text(language)
    if interval is not None:
        ends = [Amount(end, metric.unit).text(language) for end in (interval.low, interval.high)]
        between = phrase("semicolon", language)
        value += f" [{between.join(ends)}]"
    about = (
        (observation.source,)
        if metric.evidence == "measured"
        else (observation.source, metric.evidence, *([metric.maker] if metric.maker else []))
    )
    about += (say("data_plot.kind_synthetic", language),) if metric.dataset == SYNTHETIC else ()
    title = kind(metric.name).title(language)
    return say("claim_report.value", language, title=title, value=value, source=about)


def _todo(outcomes: Sequence[ClaimOutcome], language: str) -> dict[str, list[str]]:
    """Return what to do -> the milestones that wait for it."""
    by_reason: dict[str, list[str]] = {}
    for outcome in outcomes:
        for step in outcome.steps:
            by_reason.setdefault(step.text(language), []).append(outcome.milestone.name)
    return by_reason


def _below(text: str, room: int, indent: str = BELOW) -> str:
    return textwrap.fill(
        text, room, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )
