"""Results that no run here measured: published ones, and what the thesis aims at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import KINDS
from vault_sync.context import Page, table
from vault_sync.rendering import Safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.milestones import CitedResult

METRICS = (
    "widerface.easy.ap",
    "widerface.medium.ap",
    "widerface.hard.ap",
    "params.total",
    "macs.640",
    "macs.320",
    "macs.vga",
)


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/cited.jinja shows."""
    results = list(page.sources.workspace.cited.values())
    if not results:
        return None
    return {
        "cited": cited_table(page, [one for one in results if one.evidence == "cited"]),
        "targets": cited_table(page, [one for one in results if one.evidence == "target"]),
    }


def cited_table(page: Page, results: Sequence[CitedResult]) -> Safe:
    """List results that were not measured here, each with its nature and its source."""
    results = [one for one in results if any(one.metric(name) for name in METRICS)]
    if not results:
        return Safe("")
    words = page.words
    names = [name for name in METRICS if any(one.metric(name) for one in results)]
    headers = [words.say("column.model"), words.say("column.evidence")]
    headers += [Safe(KINDS[name].title(words.language)) for name in names]
    headers += [words.say("column.protocol"), words.say("column.source")]
    rows = [_row(page, one, names) for one in results]
    return table(headers, rows, numeric=range(2, 2 + len(names)))


def _row(page: Page, one: CitedResult, names: Sequence[str]) -> list[object]:
    words = page.words
    values = []
    for name in names:
        metric = one.metric(name)
        values.append(words.say("none") if metric is None else words.value(metric))
    protocol = words.name("protocol", one.protocol) if one.protocol else words.say("not_stated")
    source = words.sentence(one.source)
    return [one.title, words.say(f"evidence.{one.evidence}"), *values, protocol, source]
