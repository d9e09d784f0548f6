"""Validation of the baseline: each published value, the measured one, and the verdict on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.claims.baseline import BaselineOutcome, Expectation, baseline, validate
from experiments.metrics import kind
from vault_sync.rendering.markdown import Safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page


def validation(page: Page, runs: Sequence[Run]) -> Safe:
    """Give each expectation a row, and each of RUNS that is of the baseline's networks a column.

    Before there is a run, one column says that nothing was measured.
    """
    words, expected = page.words, baseline()
    chosen: list[Run | None] = [run for run in runs if run.variant in expected.variants]
    chosen = chosen or [None]
    judged = [validate(run, expected) for run in chosen]
    headers: list[object] = [words.say("column.metric"), words.say("baseline.expected")]
    headers += [page.run(run) if run else words.say("baseline.measured") for run in chosen]
    rows = [
        [
            Safe(kind(expectation.metric).title(words.language)),
            _expected_cell(page, expectation),
            *(_measured_cell(page, outcomes[place]) for outcomes in judged),
        ]
        for place, expectation in enumerate(expected.expectations)
    ]
    return page.table("validation", headers, rows, range(1, len(headers)))


def _expected_cell(page: Page, expectation: Expectation) -> Safe:
    words = page.words
    value = words.amount(expectation.value, expectation.metric)
    if expectation.within is None:
        return words.say("baseline.below", value=value)
    if expectation.unit == "fraction":
        points = words.say("points", n=words.number(100 * expectation.within, ".1f"))
        return words.say("baseline.short", value=value, within=points)
    return words.say(
        "baseline.within", value=value, within=words.amount(expectation.within, expectation.metric)
    )


def _measured_cell(page: Page, outcome: BaselineOutcome) -> Safe:
    """Write what counts and how it was judged."""
    words = page.words
    judged = words.say("not_measured")
    if outcome.metric is not None and outcome.state != "not_measured":
        judged = words.say(f"baseline.{outcome.state}", value=words.value(outcome.metric))
    if outcome.beside is None:
        return judged
    return words.say("baseline.beside", judged=judged, true=words.value(outcome.beside))
