"""The milestone board: each claim of the thesis, checked against sealed runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.context import Page, table
from vault_sync.rendering import Safe, code, escape

if TYPE_CHECKING:
    from experiments.checking import Observation, Outcome

COLUMNS = ("milestone", "predicate", "state", "observed", "why")


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/milestones.jinja shows; None where nothing is claimed."""
    from experiments.checking import check  # noqa: PLC0415 - only the board needs it

    outcomes = check(page.sources.workspace, store=page.sources.store)
    if not outcomes:
        return None
    reached = sum(outcome.state == "pass" for outcome in outcomes)
    headers = [page.words.say(f"column.{key}") for key in COLUMNS]
    return {
        "reached": reached,
        "total": len(outcomes),
        "table": table(headers, [_row(page, outcome) for outcome in outcomes]),
    }


def _row(page: Page, outcome: Outcome) -> list[object]:
    milestone, words = outcome.milestone, page.words
    french = words.language == "fr" and milestone.titre
    title = (milestone.titre if french else milestone.title) or milestone.name
    seen = [_observed(page, one) for one in outcome.observations if one.run and one.metric]
    why = words.sentence(outcome.reason(words.language))
    return [
        Safe(f"{escape(title)} (`{milestone.name}`)"),
        code(milestone.predicate),
        words.say(f"state.{outcome.state}"),
        Safe("<br>".join(dict.fromkeys(seen))) or words.say("none"),
        why or words.say("none"),
    ]


def _observed(page: Page, one: Observation) -> Safe:
    """Write a value that was looked at, with its run and what data it speaks of."""
    words = page.words
    if one.metric is None or one.run is None:
        return words.say("none")
    title, value = words.title(one.metric), words.value(one.metric)
    about = f" ({words.short(one.metric)})" if one.metric.dataset else ""
    return Safe(f"{page.run(one.run)}: {title} {value}{about}".replace(": ", words.colon, 1))
