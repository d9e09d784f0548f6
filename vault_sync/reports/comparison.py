"""The comparison chapter: runs side by side, and their differences with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.comparison.recipe_differences import differing_settings, tabled
from experiments.metrics import AP_METRICS, kind
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import Group, Page, group
from vault_sync.rendering.setting_words import setting_name, setting_value
from vault_sync.reports.published_results import cited_table
from vault_sync.reports.sections.comparison_cache import compared
from vault_sync.reports.sections.differences import differences, side_by_side
from vault_sync.reports.sections.drawing import precision_recall_of, size_against_ap
from vault_sync.reports.sections.measures import accuracy_table, cost_table, decision, faces
from vault_sync.reports.sections.run_diff import parent, show_parent
from vault_sync.reports.sections.seeds import seeds
from vault_sync.reports.sections.speed import speed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.records.run import Run

MOST = 20
"""Differing recipe keys that a table shows."""
BROAD = 3
"""Runs that fit side by side; more get a row each."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/comparison.jinja shows; None before there are two runs."""
    runs = page.sources.select(page.selectors)
    if len(runs) < 2:
        return None
    groups = [_group(page, *numbered) for numbered in enumerate(group(runs, page.words), 1)]
    return {
        "runs": page.words.listing([page.run_in_prose(run) for run in runs]),
        "groups": groups,
        "targets": _targets(page, runs),
        "picture": size_against_ap(page, runs),
    }


def _group(page: Page, number: int, members: Group) -> dict[str, Any]:
    page, alone = page.within(members), len(members.runs) == 1
    comparison = _single_run(members.runs[0]) if alone else compared(page, members.runs)
    broad = len(members.runs) > BROAD
    rows = [row for row in comparison["rows"] if not row["metric"].startswith("export.")]
    resamples = (comparison["bootstrap"] or {}).get("resamples", 0)
    return {
        "claim": members.claim,
        "faces": faces(page, members.runs),
        "table": "" if broad else side_by_side(page, members.runs, rows),
        "accuracy": accuracy_table(page, members.runs) if broad else "",
        "differences": _differences(page, members.runs, rows) if broad else "",
        "costs": cost_table(page, members.runs) if broad else "",
        "decision": "" if broad else decision(page, members.runs),
        "speed": speed(page, members.runs),
        "seeds": seeds(page, members.runs),
        "recipe": _recipe(page, members.runs),
        "resamples": page.words.number(resamples, ",") if resamples else "",
        "picture": precision_recall_of(page, members.runs, number) if members.evaluated else "",
    }


def _single_run(run: Run) -> dict[str, Any]:
    rows = [{"metric": metric.name, "values": {run.id: metric.to_json()}} for metric in run.metrics]
    return {"rows": rows, "bootstrap": None}


def _differences(page: Page, runs: Sequence[Run], rows: Sequence[Mapping[str, Any]]) -> Safe:
    """Give each run but the first a row of differences in AP."""
    words, base = page.words, runs[0]
    ap_rows = [row for row in rows if row["metric"] in AP_METRICS]
    headers: list[object] = [words.say("column.less", base=base.id)]
    headers += [Safe(kind(row["metric"]).title(words.language)) for row in ap_rows]
    cells = differences(page, base, runs[1:], ap_rows)
    lines = [[page.run(run), *row] for run, row in zip(runs[1:], cells, strict=True)]
    if not ap_rows:
        return Safe("")
    return page.table("differences", headers, lines, range(1, len(headers)), base=base.id)


def _recipe(page: Page, runs: Sequence[Run]) -> Safe:
    """List the settings in which the runs differ."""
    differing = tabled(differing_settings(runs))
    keys = list(differing)[:MOST]
    if not keys:
        return Safe("")
    headers: list[object] = [page.words.say("column.setup"), *(page.run(run) for run in runs)]
    rows = [
        [
            setting_name(page.words, key),
            *(_setting(page, *setting, key) for setting in zip(runs, differing[key], strict=True)),
        ]
        for key in keys
    ]
    return page.table("settings", headers, rows)


def _setting(page: Page, run: Run, value: object, key: str) -> Safe:
    """Write one setting of a run; the teacher is the very run that taught."""
    if key == "distill.teacher" and parent(run, "teacher"):
        return show_parent(page, run, "teacher")
    return setting_value(page.words, key, value)


def _targets(page: Page, runs: Sequence[Run]) -> Safe:
    """List what the thesis aims at for these experiments."""
    from experiments.comparison.compare import targets_of  # noqa: PLC0415 - only comparisons need it

    return cited_table(page, "targets", targets_of(runs, page.sources.workspace.cited))
