"""Cited results, which no run here measured: published values and targets of the thesis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import KINDS
from experiments.records.bibliography import missing, read_references
from featherface.errors import ThesisError
from vault_sync.rendering.markdown import Safe, escape
from vault_sync.reports.sections.shared_cells import shared, without

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
    _check_keys(page, [result.key for result in results if result.key])

    def by_evidence(evidence: str) -> list[CitedResult]:
        return [result for result in results if result.evidence == evidence]

    return {
        "cited": cited_table(page, "published", by_evidence("cited")),
        "targets": cited_table(page, "targets", by_evidence("target")),
    }


def cited_table(page: Page, name: str, results: Sequence[CitedResult]) -> Safe:
    """List results that were not measured here, each with its nature and its source.

    NAME is that of the table in its caption and its id.
    """
    columns = (*METRICS, *OPERATIONS)
    results = [result for result in results if any(map(result.metric, columns))]
    if not results:
        return Safe("")
    words = page.words
    names = [metric for metric in METRICS if any(result.metric(metric) for result in results)]
    headers = [words.say("column.model"), words.say("column.evidence")]
    headers += [Safe(KINDS[metric].title(words.language)) for metric in names]
    counted = any(result.metric(size) for result in results for size in OPERATIONS)
    headers += [words.say("cited.operations")] if counted else []
    numeric = range(2, len(headers))
    headers += [words.say("column.protocol"), words.say("column.source")]
    rows = [_row(page, result, names, counted=counted) for result in results]
    protocol = shared([row[-2] for row in rows], words.say("none"))
    evidence = shared([row[1] for row in rows], words.say("none"))
    alike = [*([1] if evidence else []), *([len(headers) - 2] if protocol else [])]
    if evidence:
        numeric = range(1, len(headers) - 3)
    laid_out = page.table(
        name, without(headers, alike), [without(row, alike) for row in rows], numeric
    )
    said = words.say("on_protocol", protocol=protocol) if protocol else ""
    return Safe(f"{said}\n\n{laid_out}") if said else laid_out


def _row(page: Page, result: CitedResult, names: Sequence[str], *, counted: bool) -> list[Safe]:
    words = page.words
    values = []
    for name in names:
        metric = result.metric(name)
        values.append(words.say("none") if metric is None else words.value(metric))
    values += [_operations(page, result)] if counted else []
    protocol = words.protocol(result.conditions) if result.protocol else words.say("not_stated")
    source = _source(page, result)
    return [
        escape(result.titled(words.language)),
        words.say(f"evidence.{result.evidence}"),
        *values,
        protocol,
        source,
    ]


def _operations(page: Page, result: CitedResult) -> Safe:
    """Write how many operations a network takes, and for what picture."""
    words = page.words
    counts = [(count, size) for name, size in OPERATIONS.items() if (count := result.metric(name))]
    phrases = [
        words.say("cited.counted", value=words.value(count), size=size) for count, size in counts
    ]
    return Safe("<br>".join(phrases)) or words.say("none")


def _source(page: Page, result: CitedResult) -> Safe:
    """Cite the source by its key, with what the source does not say by itself."""
    remark = page.words.sentence(result.remarked(page.words.language))
    if not result.key:
        return remark or page.words.sentence(result.source)
    return Safe(f"[@{result.key}]{', ' * bool(remark)}{remark}")


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
