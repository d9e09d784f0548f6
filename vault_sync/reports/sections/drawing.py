"""The pictures of reports, drawn by `plotting` and only where something changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.rendering.context import Page, evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.templates import Safe


def loss_curves(page: Page, run: Run) -> Safe:
    """Show how a run learnt; empty where it did not train."""

    def draw() -> bytes:
        from experiments.plotting import run_plots  # noqa: PLC0415 - takes a second to import

        return run_plots.loss_curves(run, page.words.language)

    caption = page.words.say("figure.loss", run=run.id)
    return page.picture(f"{run.id}-loss", caption, [run.seal], draw)


def precision_recall(page: Page, run: Run) -> Safe:
    """Show precision against recall; empty where a run kept no match records."""
    caption = page.words.say("figure.precision_recall", run=run.id, data=_data(page, run))
    return _curves(page, f"{run.id}-precision-recall", caption, [run])


def precision_recall_of(page: Page, runs: Sequence[Run], number: int) -> Safe:
    """Show the curves of several runs, the group NUMBER of a block, in one picture."""
    name = f"{page.block_id}-precision-recall{f'-{number}' if number > 1 else ''}"
    caption = page.words.say("figure.precision_recall_all", data=_data(page, runs[0]))
    return _curves(page, name, caption, runs)


def size_against_ap(page: Page, runs: Sequence[Run]) -> Safe:
    """Show AP against size, published results beside it where they may be compared."""
    cited = list(page.sources.workspace.cited.values())

    def draw() -> bytes:
        from experiments.plotting.pareto import pareto  # noqa: PLC0415 - takes a second to import

        return pareto(runs, cited, language=page.words.language)

    name = f"{page.block_id}-size-ap"
    caption = page.words.say("figure.size", data=_data(page, runs[0]))
    return page.picture(name, caption, [*(run.seal for run in runs), repr(cited)], draw)


def _curves(page: Page, name: str, caption: Safe, runs: Sequence[Run]) -> Safe:
    language = page.words.language

    def draw() -> bytes:
        from experiments.plotting import run_plots  # noqa: PLC0415 - takes a second to import

        matches = {run.id: run.matches() for run in runs}
        records = {label: one for label, one in matches.items() if one is not None}
        return run_plots.precision_recall(records, language, run_plots.caption(runs[0], language))

    return page.picture(name, caption, [run.seal for run in runs], draw)


def _data(page: Page, run: Run) -> Safe:
    measured = evaluation(run)
    return page.words.say("none") if measured is None else page.words.short(measured)
