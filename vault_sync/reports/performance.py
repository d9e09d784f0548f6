"""The performance chapter: what each experiment's latest run measured, with its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import KINDS
from vault_sync.context import MODEL_METRICS, Group, Page, group, table
from vault_sync.rendering import Safe
from vault_sync.reports.drawing import precision_recall
from vault_sync.reports.speed import speed

if TYPE_CHECKING:
    from experiments.store import Run

AP_METRICS = ("widerface.easy.ap", "widerface.medium.ap", "widerface.hard.ap", "widerface.mean_ap")


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/performance.jinja shows; None before the first run."""
    selectors = page.selectors or _from_id(page)
    runs = page.sources.select(selectors)
    if not runs:
        return None
    return {"groups": [_shown(page, one) for one in group(runs, page.words)]}


def _shown(page: Page, one: Group) -> dict[str, object]:
    pictures = [precision_recall(page, run) for run in one.runs if one.evaluated]
    return {
        "claim": one.claim,
        "table": _table(page, one),
        "speed": speed(page, one.runs),
        "pictures": [picture for picture in pictures if picture],
    }


def columns(runs: tuple[Run, ...], names: tuple[str, ...]) -> list[str]:
    """Return the NAMES that at least one run has measured."""
    return [name for name in names if any(run.metric(name) for run in runs)]


def _table(page: Page, one: Group) -> Safe:
    names = columns(one.runs, AP_METRICS + MODEL_METRICS)
    headers = [page.words.say("column.run")]
    headers += [Safe(KINDS[name].title(page.words.language)) for name in names]
    rows = [[page.run(run), *(page.cell(run.metric(name)) for name in names)] for run in one.runs]
    return table(headers, rows, numeric=range(1, len(headers)))


def _from_id(page: Page) -> list[str]:
    """Read `results.v2` as a block about v2."""
    _, _, selector = page.block_id.partition("results.")
    return [selector] if selector else []
