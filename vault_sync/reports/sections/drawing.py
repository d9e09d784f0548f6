"""Figures of runs: loss curves, precision against recall, AP against size."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from experiments.plotting.pareto_points import has_front
from experiments.records.cache import record_key
from experiments.records.run import Run
from vault_sync.rendering import pictures
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import Page, evaluation
from vault_sync.reports.sections.comparison_cache import intervals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.workspace.milestones import CitedResult

METRIC = "widerface.hard.ap"
"""What the picture of AP against size shows."""
CURVES = "precision-recall"
"""In the names of files and ids."""


def loss_curves(page: Page, run: Run) -> Safe:
    """Show the loss curves of a run; empty where it did not train."""
    draw = partial(pictures.loss_curves, run, page.words.language)
    caption = page.words.say("figure.loss", run=run.id)
    return page.picture(f"{run.id}-loss", caption, [run.id, run.seal], draw, ["loss"])


def precision_recall(page: Page, run: Run) -> Safe:
    """Show precision against recall; empty where a run kept no match records."""
    caption = page.words.say("figure.precision_recall", run=run.id, data=_data(page, [run]))
    alone = page.block_id == f"run.{run.id}"
    shows = [CURVES] if alone else [CURVES, run.experiment]
    return _curves(page, f"{run.id}-{CURVES}", caption, [run], shows)


def precision_recall_of(page: Page, runs: Sequence[Run], number: int) -> Safe:
    """Show the curves of several runs, the group NUMBER of a block, in one picture."""
    name = f"{page.block_id}-{CURVES}{f'-{number}' if number > 1 else ''}"
    caption = page.words.say("figure.precision_recall_all", data=_data(page, runs))
    return _curves(page, name, caption, runs, [CURVES])


def size_against_ap(page: Page, runs: Sequence[Run]) -> Safe:
    """Show AP against size, published results beside it where they may be compared."""
    cited = list(page.sources.workspace.cited.values())
    known = {run.id: intervals(page, run).get(METRIC) for run in runs}
    ends = {name: bounds for name, bounds in known.items() if bounds}
    draw = partial(pictures.size_against_ap, runs, cited, ends, page.words.language)
    inputs = [_measured(run) for run in runs]
    inputs += [_measured(result) for result in cited]
    name = f"{page.block_id}-size-ap"
    words = page.words
    told = [words.say("figure.size", data=_data(page, runs))]
    told += [words.say("figure.size_ends")] if ends else []
    told += [words.say("figure.size_front")] if has_front(runs, cited) else []
    caption = Safe(" ".join(told))
    return page.picture(name, caption, [*inputs, repr(cited), repr(ends)], draw, ["size-ap"])


def _curves(
    page: Page, name: str, caption: Safe, runs: Sequence[Run], shows: Sequence[str]
) -> Safe:
    draw = partial(pictures.precision_recall, runs, page.words.language)
    inputs = [_measured(runs[0]), *(f"{record_key(run)}{run.maker}" for run in runs)]
    picture = page.picture(name, caption, inputs, draw, shows)
    if picture or all(run.matches() is None for run in runs):
        return picture
    named = page.words.listing([page.run_in_prose(run) for run in runs])
    return page.words.say("figure.no_detections", runs=named)


def _measured(source: Run | CitedResult) -> str:
    """Write all metrics of SOURCE, and with what others each may be compared."""
    name = source.id if isinstance(source, Run) else source.name
    return repr([name, *((metric, metric.context) for metric in source.metrics)])


def _data(page: Page, runs: Sequence[Run]) -> Safe:
    """Return what the runs that were evaluated were evaluated on; those of a picture agree."""
    measured = next((found for run in runs if (found := evaluation(run)) is not None), None)
    return page.words.say("none") if measured is None else page.words.short(measured)
