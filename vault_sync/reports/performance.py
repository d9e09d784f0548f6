"""The performance chapter: what each experiment's latest run measured, with its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import KINDS, SUBSETS
from vault_sync.context import MODEL_METRICS, Group, Page, group, table
from vault_sync.rendering import Safe, code
from vault_sync.reports.compared import intervals, write_interval
from vault_sync.reports.drawing import precision_recall
from vault_sync.reports.efficiency import efficiency_table, published
from vault_sync.reports.speed import speed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.runs import Run

AP_METRICS = ("widerface.easy.ap", "widerface.medium.ap", "widerface.hard.ap", "widerface.mean_ap")


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/performance.jinja shows; None before the first run."""
    selectors = page.selectors or _from_id(page)
    runs = page.sources.select(selectors)
    if not runs:
        return None
    return {"groups": [_shown(page, one) for one in group(runs, page.words)]}


def accuracy_table(page: Page, runs: Sequence[Run]) -> Safe:
    """List the APs of RUNS, each with its interval; empty where none was evaluated."""
    names = columns(runs, AP_METRICS)
    if not names:
        return Safe("")
    ends = {run: intervals(page, run) for run in runs}
    rows = [[_ap(page, run, name, ends[run]) for name in names] for run in runs]
    return _table(page, runs, names, rows)


def cost_table(page: Page, runs: Sequence[Run]) -> Safe:
    """List what RUNS cost: parameters, operations, time, memory; empty where none was measured."""
    names = columns(runs, MODEL_METRICS)
    if not names:
        return Safe("")
    rows = [[page.cell(run.metric(name)) for name in names] for run in runs]
    return _table(page, runs, names, rows)


def columns(runs: Sequence[Run], names: tuple[str, ...]) -> list[str]:
    """Return the NAMES that at least one run has measured."""
    return [name for name in names if any(run.metric(name) for run in runs)]


def faces(page: Page, runs: Sequence[Run]) -> Safe:
    """Say how many faces count in each subset, where the records agree on it; else nothing."""
    counts = [run.results.get("details", {}).get("evaluate", {}).get("faces", {}) for run in runs]
    known = [one for one in counts if one]
    if not known or any(one != known[0] for one in known):
        return Safe("")
    told = [f"{page.words.number(known[0].get(name, 0), ',')} {name.title()}" for name in SUBSETS]
    return page.words.say("faces", list=page.words.listing([Safe(one) for one in told]))


def _shown(page: Page, one: Group) -> dict[str, object]:
    pictures = [precision_recall(page, run) for run in one.runs if one.evaluated]
    return {
        "claim": one.claim,
        "faces": faces(page, one.runs),
        "accuracy": accuracy_table(page, one.runs),
        "sure": any(intervals(page, run) for run in one.runs),
        "costs": cost_table(page, one.runs),
        "efficiency": efficiency_table(page, one.runs, published(one.runs)),
        "speed": speed(page, one.runs),
        "pictures": [picture for picture in pictures if picture],
    }


def _ap(page: Page, run: Run, name: str, ends: Mapping[str, tuple[float, float]]) -> Safe:
    text = page.cell(run.metric(name))
    return Safe(text + write_interval(page.words, name, ends.get(name)))


def _table(
    page: Page, runs: Sequence[Run], names: Sequence[str], rows: Sequence[Sequence[object]]
) -> Safe:
    words = page.words
    headers = [words.say("column.run"), words.say("column.network")]
    headers += [Safe(KINDS[name].title(words.language)) for name in names]
    lines = [
        [page.run(run), code(run.variant) if run.variant else words.say("none"), *row]
        for run, row in zip(runs, rows, strict=True)
    ]
    return table(headers, lines, numeric=range(2, len(headers)))


def _from_id(page: Page) -> list[str]:
    """Read `results.v2` as a block about v2."""
    _, _, selector = page.block_id.partition("results.")
    return [selector] if selector else []
