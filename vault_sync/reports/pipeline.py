"""The log of one experiment: every version, how far it came, and how the last one learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.context import Page, evaluation, table
from vault_sync.rendering import Safe
from vault_sync.reports.drawing import loss_curves

if TYPE_CHECKING:
    from experiments.store import Run

COLUMNS = ("run", "status", "started", "duration", "epochs", "loss")


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/pipeline.jinja shows; None before the first run."""
    experiment = page.attributes.get("experiment") or page.block_id.removeprefix("pipeline.")
    runs = [run for run in page.sources.runs if run.experiment == experiment]
    if not runs:
        return None
    page.sources.check(runs)
    finished = [run for run in runs if run.sealed]
    words = page.words
    headers = [words.say(f"column.{key}") for key in COLUMNS]
    headers += [words.say("column.score"), words.say("column.data")]
    return {
        "experiment": experiment,
        "count": len(runs),
        "table": table(headers, [_row(page, run) for run in runs], numeric=[3, 4, 5, 6]),
        "picture": loss_curves(page, finished[-1]) if finished else "",
    }


def _row(page: Page, run: Run) -> list[object]:
    words, record = page.words, run.record
    epochs = run.events("epoch")
    measured, primary = evaluation(run), run.primary
    missing = words.say("none")
    last = epochs[-1].get("loss") if epochs else None
    return [
        page.run(run) if run.sealed else run.id,
        words.say(f"status.{run.status}"),
        words.date(record.created),
        words.duration(record.seconds),
        words.number(len(epochs), ",") if epochs else missing,
        missing if last is None else words.number(float(last), ".3f"),
        missing if primary is None else _score(page, run),
        missing if measured is None else words.short(measured),
    ]


def _score(page: Page, run: Run) -> Safe:
    primary = run.primary
    if primary is None:
        return page.words.say("none")
    return Safe(f"{page.words.title(primary)} {page.words.value(primary)}")
