"""Efficiency of networks: AP per parameter and per operation, and the requirements of phones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.claims.efficiency import READINESS, efficiency, requirements
from experiments.metrics import kind
from vault_sync.rendering.markdown import Safe
from vault_sync.reports.sections.milestone_cells import cells, claimed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.claims.checking import ClaimOutcome
    from experiments.claims.efficiency import Efficiency
    from experiments.records.run import Run
    from vault_sync.rendering.page import Page
    from vault_sync.reports.sections.shared_cells import SharedNotes

METRICS = ("widerface.mean_ap", "params.total", "macs.640")
GAINS = ("per_parameters", "per_operations")


def efficiency_table(page: Page, runs: Sequence[Run], base: Run | None = None) -> Safe:
    """List AP for each parameter and each operation of RUNS, measured on the same data.

    Of the runs but BASE it is said how many times as much they give; empty without two costs.
    """
    words = page.words
    measured = {run: gains for run in runs if (gains := efficiency(run))}
    if not measured:
        return Safe("")
    headers = [words.say("column.run")]
    headers += [Safe(kind(name).title(words.language)) for name in METRICS]
    headers += [words.say(f"efficiency.{gain}") for gain in GAINS]
    lines = [
        [
            page.run(run),
            *(page.cell(run.metric(name)) for name in METRICS),
            *(_gain(page, measured, run, base, gain) for gain in GAINS),
        ]
        for run in measured
    ]
    return page.table("efficiency", headers, lines, range(1, len(headers)))


def published(runs: Sequence[Run]) -> Run | None:
    """Return the one of RUNS that speaks for the published baseline; None where none does."""
    from experiments.claims.baseline import baseline, candidate  # noqa: PLC0415 - reads a file

    return candidate(runs, baseline())


def readiness(
    page: Page, run: Run, outcomes: Sequence[ClaimOutcome], notes: SharedNotes
) -> tuple[Safe, Safe]:
    """Hold RUN against what a phone asks for: a sentence and a table; empty where nothing is.

    OUTCOMES are those of `requirements_of`, NOTES those of the block.
    """
    words = page.words
    if not outcomes:
        return Safe(""), Safe("")
    states = {outcome.state for outcome in outcomes}
    worst = next(
        (state for state in ("fail", "not_measurable", "stale") if state in states), "pass"
    )
    columns = ("predicate", "observed", "state", "why")
    lines = []
    for outcome in outcomes:
        state, observed, why = cells(page, outcome, notes)
        lines.append([claimed(page, outcome), observed, state, why])
    headers = [words.say(f"column.{key}") for key in columns]
    listed = page.table("readiness", headers, lines, run=run.id)
    return words.say(f"efficiency.{worst}", run=page.run_in_prose(run)), listed


def requirements_of(page: Page, run: Run) -> list[ClaimOutcome]:
    """Judge each thing that a phone asks for of RUN; none where no milestone says what."""
    milestone = page.sources.workspace.milestones.get(READINESS)
    if milestone is None:
        return []
    return [page.sources.judge(requirement) for requirement in requirements(milestone, run)]


def _gain(
    page: Page, measured: Mapping[Run, Efficiency], run: Run, base: Run | None, name: str
) -> Safe:
    words, value = page.words, getattr(measured[run], name)
    if value is None:
        return words.say("not_measured")
    text = words.number(value, ".1f")
    before: float | None = getattr(measured.get(base), name, None) if base is not None else None
    if run is base or not before:
        return text
    return words.say("efficiency.times", n=text, times=words.number(value / before, ".2f"))
