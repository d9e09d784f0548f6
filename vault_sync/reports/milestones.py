"""The milestone board: each claim of the thesis, checked against sealed runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault_sync.rendering.markdown import Safe, code
from vault_sync.reports.sections.milestone_cells import LINE, cells, claimed, notes_of, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.claims.checking import ClaimOutcome
    from vault_sync.rendering.page import Page
    from vault_sync.reports.sections.shared_cells import SharedNotes

COLUMNS = ("milestone", "state", "observed", "why")


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/milestones.jinja shows; None where nothing is claimed.

    Raises:
        RefusedError: a claim can't be read or mistypes a name; the message says which.
    """
    from experiments.claims.margins import RESAMPLES, SEED  # noqa: PLC0415 - only the board needs it

    outcomes = page.sources.outcomes
    if not outcomes:
        return None
    groups = dict.fromkeys(outcome.milestone.group for outcome in outcomes)
    notes = notes_of(page, outcomes)
    sampled = any(interval for outcome in outcomes for interval in outcome.intervals)
    return {
        "reached": sum(outcome.state == "pass" for outcome in outcomes),
        "total": len(outcomes),
        "groups": [
            _group(page, name, chosen, notes)
            for name in groups
            for chosen in [[each for each in outcomes if each.milestone.group == name]]
        ],
        "notes": notes.key,
        "names": page.words.listing([_named(page, outcome) for outcome in outcomes]),
        "resamples": page.words.number(RESAMPLES, ",") if sampled else "",
        "seed": str(SEED),
    }


def _group(
    page: Page, name: str, outcomes: Sequence[ClaimOutcome], notes: SharedNotes
) -> dict[str, Any]:
    words = page.words
    headers = [words.say(f"column.{key}") for key in COLUMNS]
    title = words.name("group", name or "other")
    return {
        "title": title,
        "table": page.about(name or "other").table(
            "milestones", headers, [_row(page, outcome, notes) for outcome in outcomes], group=title
        ),
    }


def _named(page: Page, outcome: ClaimOutcome) -> Safe:
    """Write the name by which the command line knows a claim, and its title."""
    name = outcome.milestone.name
    return Safe(f"{code(name)} ({title(page, outcome)})" if outcome.milestone.title else code(name))


def _row(page: Page, outcome: ClaimOutcome, notes: SharedNotes) -> list[object]:
    state, observed, why = cells(page, outcome, notes)
    return [
        Safe(f"{title(page, outcome)}{LINE}{claimed(page, outcome)}"),
        state,
        observed,
        why,
    ]
