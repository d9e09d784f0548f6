"""How the latest training of an experiment went: epochs, losses, accuracy, and what changed.

Only sealed runs give numbers that count. Of a run at work the log shows every so many epochs, as
`report.progress_every` says, and says that they are provisional.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from experiments.metrics import AP_METRICS, SUBSETS
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import Page, evaluation, group
from vault_sync.reports.sections import trends
from vault_sync.reports.sections.advice import advice
from vault_sync.reports.sections.comparison_cache import compared
from vault_sync.reports.sections.differences import side_by_side
from vault_sync.reports.sections.drawing import loss_curves
from vault_sync.reports.sections.experiment_status import experiment_status
from vault_sync.reports.sections.run_diff import changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.records.run import Run

    Epochs = Sequence[Mapping[str, Any]]

PARTS = (
    *("box", "face", "landmark", "teacher_soft", "teacher_box", "teacher_landmark"),
    *("teacher_feature", "teacher_attention", "teacher_cross_scale"),
    *("self_soft", "self_box", "self_landmark"),
)
"""Parts of the loss, as training events call them."""
SCORES = ("mean_ap", *SUBSETS)
LOGGED = {"learning_rate": ".2g", "loss": ".3f", "gradient_norm": ".2f"} | dict.fromkeys(
    SCORES, ".1%"
)
"""Columns of the log, and how their values are written."""
EVERY = "report.progress_every"
"""Setting: epochs between two entries of the log; 0 makes none."""
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)
ROWS = 10
"""Epochs that a table shows, more or less."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/progress.jinja shows; None before the first training."""
    experiment = page.experiment
    runs = [run for run in page.sources.runs if run.experiment == experiment]
    finished = [run for run in runs if run.sealed and run.events("epoch")]
    last = finished[-1].version if finished else 0
    waiting = [run for run in runs if not run.sealed and run.version > last]
    if not finished and not waiting:
        return None
    page.sources.check(finished[-2:])
    return {
        "trained": _trained(page, finished[-1]) if finished else None,
        "before": _before(page, finished[-2], finished[-1]) if len(finished) > 1 else None,
        "standing": experiment_status(page, finished[-1]) if finished else None,
        "waiting": [_waiting(page, run) for run in waiting],
        "log": _log(page, waiting),
    }


def shown_epochs(epochs: Epochs, best: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Choose first, last and best epoch, and every so many between, that make about ten rows."""
    step = next((length for length in STEPS if len(epochs) <= length * ROWS), STEPS[-1])
    edges = (epochs[0], epochs[-1], best)
    return [epoch for epoch in epochs if epoch in edges or epoch["epoch"] % step == 0]


def best_epoch(run: Run, epochs: Epochs) -> Mapping[str, Any]:
    """Return the epoch that decided which weights are kept, or the one of least loss."""
    name = run.record.primary_metric.removeprefix("widerface.").removesuffix(".ap")
    scored = [epoch for epoch in epochs if name in epoch]
    if len(scored) > 1:
        return max(scored, key=lambda epoch: float(epoch[name]))
    return min(epochs, key=lambda epoch: float(epoch["loss"]))


def _trained(page: Page, run: Run) -> dict[str, object]:
    words, epochs = page.words, run.events("epoch")
    best, measured = best_epoch(run, epochs), evaluation(run)
    scored = [epoch for epoch in epochs if "mean_ap" in epoch]
    mark = "best" if len(scored) > 1 else "least"
    planned = int(run.recipe.get("train", {}).get("epochs", len(epochs)))
    about = {"epochs": len(epochs), "planned": planned, "steps": epochs[-1].get("step", 0)}
    rate = _rates(epochs)
    return {
        "run": page.run_in_prose(run),
        "extent": words.say("progress.extent", **about),
        "speed": words.say("progress.speed", n=words.number(median(rate), ".1f")) if rate else "",
        "losses": _losses(page, run, shown_epochs(epochs, best), best, mark),
        "parts": any(part in epochs[-1] for part in PARTS),
        "claim": words.claim(measured) if measured else Safe(_drawn(page, run).strip()),
        "scores": _scores(page, run, scored, best) if len(scored) > 1 else "",
        "remarks": trends.remarks(page, run, epochs),
        "advice": advice(page, run, epochs),
        "picture": loss_curves(page, run),
    }


def _losses(page: Page, run: Run, epochs: Epochs, best: Mapping[str, Any], mark: str) -> Safe:
    """List learning rate, loss, its parts and speed by epoch."""
    words, number = page.words, page.words.number
    parts = [part for part in PARTS if any(part in epoch for epoch in epochs)]
    headers = [words.say(f"progress.{key}") for key in ("epoch", "rate", "loss", *parts)]
    quick = any(_rates(epochs))
    headers += [words.say("progress.images")] if quick else []
    lines = []
    for epoch in epochs:
        line: list[object] = [_epoch(page, epoch, best, mark)]
        line += [_figure(page, epoch, "learning_rate", ".2g")]
        line += [_figure(page, epoch, key, ".3f") for key in ("loss", *parts)]
        rate = _rates([epoch])
        line += [number(rate[0], ".1f") if rate else words.say("none")] if quick else []
        lines.append(line)
    return page.table("losses", headers, lines, range(len(headers)), run=run.id)


def _scores(page: Page, run: Run, scored: Epochs, best: Mapping[str, Any]) -> Safe:
    """List the APs measured during training."""
    names = [name for name in SCORES if any(name in epoch for epoch in scored)]
    headers = [page.words.say("progress.epoch")]
    headers += [page.words.say(f"progress.{name}") for name in names]
    lines = [
        [_epoch(page, epoch, best, "best"), *(_figure(page, epoch, name, ".1%") for name in names)]
        for epoch in shown_epochs(scored, best)
    ]
    return page.table("scores", headers, lines, range(len(headers)), run=run.id)


def _epoch(page: Page, epoch: Mapping[str, Any], best: Mapping[str, Any], mark: str) -> Safe:
    number = page.words.number(int(epoch["epoch"]), "d")
    if epoch is not best:
        return number
    return page.words.say(f"progress.{mark}", epoch=number)


def _figure(page: Page, event: Mapping[str, Any], key: str, spec: str) -> Safe:
    return page.words.number(float(event[key]), spec) if key in event else page.words.say("none")


def _rates(epochs: Iterable[Mapping[str, Any]]) -> list[float]:
    """Return images per second of each epoch that tells it."""
    return [epoch["images"] / epoch["seconds"] for epoch in epochs if epoch.get("seconds", 0) > 0]


def _before(page: Page, before: Run, run: Run) -> dict[str, object]:
    """Say what changed since the version BEFORE, and what it did to AP where one may say so."""
    words = page.words
    differing = changes(page, before, run)
    headers: list[object] = [words.say("column.setup"), page.run(before), page.run(run)]
    rows = [[change.name, change.before, change.after] for change in differing]
    values, together = Safe(""), group([before, run], words)
    if len(together) == 1 and together[0].evaluated:
        ap_rows = [
            row for row in compared(page, [before, run])["rows"] if row["metric"] in AP_METRICS
        ]
        values = side_by_side(page.within(together[0]), [before, run], ap_rows, "beside_before")
    return {
        "run": page.run_in_prose(before),
        "changes": page.table("changes", headers, rows, before=before.id, run=run.id)
        if rows
        else "",
        "measures": values,
        "claim": together[0].claim if values else "",
        "sure": before.matches() is not None and run.matches() is not None,
    }


def _log(page: Page, waiting: Sequence[Run]) -> dict[str, object] | None:
    """Show the latest run of WAITING every so many epochs; None before the first entry."""
    every = int(page.sources.workspace.settings[EVERY])
    for run in reversed(waiting if every else ()):
        entries = [event for event in run.events("epoch") if int(event["epoch"]) % every == 0]
        if entries:
            planned = int(run.recipe.get("train", {}).get("epochs", 0))
            status = page.words.say(f"status.{run.status}")
            pace = page.words.say(
                "progress.log_each" if every == 1 else "progress.log_every", n=every
            )
            about = {"run": run.id, "status": status, "planned": planned, "pace": pace}
            heading = page.words.say("progress.log", epoch=int(entries[-1]["epoch"]), **about)
            epochs = [
                event for event in run.events("epoch") if event["epoch"] <= entries[-1]["epoch"]
            ]
            recommendations = advice(page, run, epochs)
            heading = Safe(f"{heading}{_drawn(page, run)}")
            return {
                "about": heading,
                "table": _entries(page, run, entries),
                "advice": recommendations,
            }
    return None


def _drawn(page: Page, run: Run) -> str:
    """Say that the AP of an unfinished run is of drawn pictures, where it is."""
    return f" {page.words.say('progress.log_synthetic')}" if run.on_drawn_pictures else ""


def _entries(page: Page, run: Run, entries: Epochs) -> Safe:
    """List ENTRIES, condensed where they are many."""
    columns = {key: spec for key, spec in LOGGED.items() if any(key in epoch for epoch in entries)}
    names = ["epoch", *(key.replace("learning_", "") for key in columns)]
    headers = [page.words.say(f"progress.{name}") for name in names]
    lines = [
        [
            _epoch(page, epoch, {}, ""),
            *(_figure(page, epoch, *column) for column in columns.items()),
        ]
        for epoch in shown_epochs(entries, entries[-1])
    ]
    return page.table("log", headers, lines, range(len(headers)), run=run.id)


def _waiting(page: Page, run: Run) -> Safe:
    return page.words.say(
        "progress.waiting", run=run.id, status=page.words.say(f"status.{run.status}")
    )
