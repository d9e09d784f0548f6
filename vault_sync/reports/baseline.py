"""The baseline against its publication: published values, measured values, differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import AP_METRICS, KINDS
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import Group, Page, evaluation, group
from vault_sync.reports.published_results import cited_table
from vault_sync.reports.sections.comparison_cache import intervals, write_difference
from vault_sync.reports.sections.measures import accuracy_table, cost_table, faces
from vault_sync.reports.sections.validation import validation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult

PUBLISHED = {"v1": "featherface-paper", "v1-official": "featherface-published-code"}
"""Variant -> the published result that a run of it is held against."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/baseline.jinja shows; None where nothing is published."""
    cited = page.sources.workspace.cited
    published = [cited[name] for name in PUBLISHED.values() if name in cited]
    runs = _measured(page)
    if not published and not runs:
        return None
    page.sources.check(runs)
    return {
        "published": cited_table(page, "published", published),
        "counted": _counted(page, published),
        "groups": [_group_section(page, members, cited) for members in group(runs, page.words)],
        "validation": validation(page, runs) if published else "",
    }


def _counted(page: Page, published: Sequence[CitedResult]) -> Safe:
    """Say what the publication counts otherwise; empty where it does not."""
    for result in published:
        stated, true = result.metric("params.paper_counted"), result.metric("params.total")
        if stated and true and stated.value != true.value:
            counts = {"stated": page.words.value(stated), "true": page.words.value(true)}
            return page.words.say("baseline.counted", **counts)
    return Safe("")


def _measured(page: Page) -> list[Run]:
    """Return the runs of the baseline's networks that were evaluated or benchmarked."""
    if page.selectors:
        return page.sources.select(page.selectors)
    return page.sources.latest_where(lambda run: run.variant in PUBLISHED and bool(run.metrics))


def _group_section(
    page: Page, members: Group, cited: Mapping[str, CitedResult]
) -> dict[str, object]:
    page = page.within(members)
    return {
        "claim": members.claim,
        "faces": faces(page, members.runs),
        "accuracy": accuracy_table(page, members.runs),
        "sure": any(intervals(page, run) for run in members.runs),
        "costs": cost_table(page, members.runs),
        "differences": _differences(page, members, cited),
        "evaluated": members.evaluated,
    }


def _differences(page: Page, members: Group, cited: Mapping[str, CitedResult]) -> Safe:
    """List measured less published AP; empty where data or protocol are not the same."""
    words, rows = page.words, []
    for run in members.runs:
        against = cited.get(PUBLISHED.get(run.variant, ""))
        measured = evaluation(run)
        stated = None if against is None else against.metric("widerface.hard.ap")
        if against is None or measured is None or stated is None:
            continue
        if stated.context == measured.context:
            cells = [_cell(page, run, against, name) for name in AP_METRICS]
            rows.append([page.run(run), against.titled(words.language), *cells])
    headers = [words.say("column.run"), words.say("baseline.against")]
    headers += [Safe(KINDS[name].title(words.language)) for name in AP_METRICS]
    numeric = range(2, len(headers))
    return page.table("publication", headers, rows, numeric) if rows else Safe("")


def _cell(page: Page, run: Run, against: CitedResult, name: str) -> Safe:
    metric, stated = run.metric(name), against.metric(name)
    if metric is None or stated is None:
        return page.words.say("none")
    ends = intervals(page, run).get(name)
    shifted = [end - stated.value for end in ends] if ends else None
    return write_difference(page.words, name, metric.value - stated.value, "fraction", shifted)
