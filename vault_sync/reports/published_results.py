"""Results that no run here measured: published ones, and what the thesis aims at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import KINDS
from experiments.records.bibliography import missing, read_references
from featherface.errors import ThesisError
from vault_sync.rendering.markdown import Safe, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.workspace.milestones import CitedResult
    from vault_sync.rendering.page import Page

METRICS = (
    "widerface.easy.ap",
    "widerface.medium.ap",
    "widerface.hard.ap",
    "params.total",
    "params.paper_counted",
)
OPERATIONS = {"macs.640": "640²", "macs.320": "320²", "macs.vga": "640×480"}
"""Metric -> side or size of the picture it was counted for; they share a column."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/cited.jinja shows."""
    results = list(page.sources.workspace.cited.values())
    if not results:
        return None
    _check_keys(page, [one.key for one in results if one.key])
    return {
        "cited": cited_table(page, [one for one in results if one.evidence == "cited"]),
        "targets": cited_table(page, [one for one in results if one.evidence == "target"]),
    }


def cited_table(page: Page, results: Sequence[CitedResult]) -> Safe:
    """List results that were not measured here, each with its nature and its source."""
    shown = (*METRICS, *OPERATIONS)
    results = [one for one in results if any(one.metric(name) for name in shown)]
    if not results:
        return Safe("")
    words = page.words
    names = [name for name in METRICS if any(one.metric(name) for one in results)]
    headers = [words.say("column.model"), words.say("column.evidence")]
    headers += [Safe(KINDS[name].title(words.language)) for name in names]
    counted = any(one.metric(name) for one in results for name in OPERATIONS)
    headers += [words.say("cited.operations")] if counted else []
    numeric = range(2, len(headers))
    headers += [words.say("column.protocol"), words.say("column.source")]
    return table(headers, [_row(page, one, names, counted=counted) for one in results], numeric)


def _row(page: Page, one: CitedResult, names: Sequence[str], *, counted: bool) -> list[object]:
    words = page.words
    values = []
    for name in names:
        metric = one.metric(name)
        values.append(words.say("none") if metric is None else words.value(metric))
    values += [_operations(page, one)] if counted else []
    protocol = words.protocol(one.conditions) if one.protocol else words.say("not_stated")
    source = _source(page, one)
    return [
        one.titled(words.language),
        words.say(f"evidence.{one.evidence}"),
        *values,
        protocol,
        source,
    ]


def _operations(page: Page, one: CitedResult) -> Safe:
    """Write how many operations a network takes, and for what picture."""
    words = page.words
    known = [(found, size) for name, size in OPERATIONS.items() if (found := one.metric(name))]
    told = [words.say("cited.counted", value=words.value(one), size=size) for one, size in known]
    return Safe("<br>".join(told)) or words.say("none")


def _source(page: Page, one: CitedResult) -> Safe:
    """Cite the source by its key, with what the source does not say by itself."""
    remark = page.words.sentence(one.remarked(page.words.language))
    if not one.key:
        return remark or page.words.sentence(one.source)
    return Safe(f"[@{one.key}]{', ' * bool(remark)}{remark}")


def _check_keys(page: Page, keys: Sequence[str]) -> None:
    """Warn of keys that no bibliography has: the export could not resolve them."""
    try:
        lost = missing(keys, read_references(page.sources.workspace))
    except ThesisError as error:
        page.warnings.append(f"the bibliography can't be read: {error.message}")
        return
    page.warnings.extend(
        f"the citation key {key!r} is in no bibliography; add its entry to the BibTeX file that "
        "thesis.toml names as bibliography"
        for key in lost
    )
