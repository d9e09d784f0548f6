"""The run log of one experiment: status, duration, epochs and score of every version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering.markdown import Safe, escape
from vault_sync.rendering.page import Page, evaluation
from vault_sync.reports.sections.shared_cells import shared

if TYPE_CHECKING:
    from experiments.records.run import Run

COLUMNS = ("run", "status", "started", "duration", "epochs", "loss")


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/pipeline.jinja shows; None before the first run."""
    experiment = page.experiment
    runs = [run for run in page.sources.runs if run.experiment == experiment]
    if not runs:
        return None
    page.sources.check(runs)
    words = page.words
    headers = [words.say(f"column.{key}") for key in COLUMNS]
    headers += [words.say("column.score"), words.say("column.data")]
    rows = [_row(page, run) for run in runs]
    data = shared([row[-1] for row in rows], words.say("none"))
    if data:
        headers, rows = headers[:-1], [row[:-1] for row in rows]
    return {
        "experiment": experiment,
        "count": len(runs),
        "data": data,
        "table": page.table("versions", headers, rows, [3, 4, 5, 6], experiment=experiment),
    }


def _row(page: Page, run: Run) -> list[Safe]:
    words, record = page.words, run.record
    epochs = run.events("epoch")
    measured, primary = (evaluation(run), run.primary) if run.sealed else (None, None)
    missing = words.say("none")
    # What is not sealed may still change: it shows how far it came, and no result.
    last = epochs[-1].get("loss") if epochs and run.sealed else None
    return [
        page.run(run) if run.sealed else escape(run.id),
        words.say(f"status.{run.status}"),
        words.date(record.created),
        words.duration(record.seconds),
        _extent(page, run, len(epochs)) if epochs else missing,
        missing if last is None else words.number(float(last), ".3f"),
        missing if primary is None else _score(page, run),
        missing if measured is None else words.short(measured),
    ]


def _extent(page: Page, run: Run, done: int) -> Safe:
    """Write how many epochs were trained, of how many where they are fewer."""
    planned = int(run.recipe.get("train", {}).get("epochs", done))
    if done >= planned:
        return page.words.number(done, ",")
    return page.words.say("pipeline.some", done=done, planned=planned)


def _score(page: Page, run: Run) -> Safe:
    primary = run.primary
    if primary is None:
        return page.words.say("none")
    return Safe(f"{page.words.title(primary)} {page.words.value(primary)}")
