"""The comparison chapter: runs side by side, and how sure their differences are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.metrics import kind
from vault_sync.context import Group, Page, group, table
from vault_sync.rendering import Safe, code
from vault_sync.reports.changes import differing_settings, parent, show_parent, show_value
from vault_sync.reports.cited import cited_table
from vault_sync.reports.compared import compared, write_difference, write_interval
from vault_sync.reports.drawing import precision_recall_of, size_against_ap
from vault_sync.reports.performance import AP_METRICS, accuracy_table, cost_table, faces
from vault_sync.reports.seeds import seeds
from vault_sync.reports.speed import TIMED, same_speed_setting, speed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.runs import Run

MOST = 20
"""Differing recipe keys that a table shows."""
BROAD = 3
"""Runs that fit side by side; more get a row each."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/comparison.jinja shows; None before there are two runs."""
    runs = page.sources.select(page.selectors)
    if len(runs) < 2:
        return None
    groups = [_group(page, *one) for one in enumerate(group(runs, page.words), 1)]
    return {
        "runs": page.words.listing([page.run_in_prose(run) for run in runs]),
        "groups": groups,
        "targets": _targets(page, runs),
        "picture": size_against_ap(page, runs),
    }


def side_by_side(page: Page, runs: Sequence[Run], rows: Iterable[Mapping[str, Any]]) -> Safe:
    """Lay out `compared(...)["rows"]`: a column per run, and one per difference from the first."""
    words, base = page.words, runs[0]
    headers: list[object] = [words.say("column.metric"), *(page.run(run) for run in runs)]
    headers += [words.say("column.difference", run=run.id, base=base.id) for run in runs[1:]]
    lines = []
    for row in rows:
        name, values = row["metric"], row["values"]
        line: list[object] = [Safe(kind(name).title(words.language))]
        line += [_value(page, name, values.get(run.id)) for run in runs]
        line += [difference(page, name, base, run, values) for run in runs[1:]]
        lines.append(line)
    return table(headers, lines, numeric=range(1, len(headers)))


def difference(page: Page, name: str, base: Run, run: Run, values: Mapping[str, Any]) -> Safe:
    """Write how RUN differs from BASE in metric NAME, where the two may be compared."""
    words, value = page.words, values.get(run.id) or {}
    delta = value.get("delta")
    timed = name.startswith(TIMED) and not same_speed_setting(page, base, run)
    if delta is None or timed or name.endswith("parity"):
        return words.say("none")
    unit, ends = value.get("unit", ""), (delta["low"], delta["high"])
    text = write_difference(words, name, delta["value"], unit, ends, sure=delta["established"])
    before = values[base.id]["value"]
    if unit == "fraction" or not before or not delta["value"]:
        return text
    share = words.number(delta["value"] / before, "+.1%")
    return Safe(f"{text} ({share})")


def _group(page: Page, number: int, one: Group) -> dict[str, Any]:
    alone = len(one.runs) == 1
    found = _alone(one.runs[0]) if alone else compared(page, one.runs)
    broad = len(one.runs) > BROAD
    rows = [row for row in found["rows"] if not row["metric"].startswith("export.")]
    resamples = (found["bootstrap"] or {}).get("resamples", 0)
    return {
        "claim": one.claim,
        "faces": faces(page, one.runs),
        "table": "" if broad else side_by_side(page, one.runs, rows),
        "accuracy": accuracy_table(page, one.runs) if broad else "",
        "differences": _differences(page, one.runs, rows) if broad else "",
        "costs": cost_table(page, one.runs) if broad else "",
        "speed": speed(page, one.runs),
        "seeds": seeds(page, one.runs),
        "recipe": _recipe(page, one.runs),
        "resamples": page.words.number(resamples, ",") if resamples else "",
        "picture": precision_recall_of(page, one.runs, number) if one.evaluated else "",
    }


def _alone(run: Run) -> dict[str, Any]:
    rows = [{"metric": one.name, "values": {run.id: one.to_json()}} for one in run.metrics]
    return {"rows": rows, "bootstrap": None}


def _differences(page: Page, runs: Sequence[Run], rows: Sequence[Mapping[str, Any]]) -> Safe:
    """Give each run but the first a row of differences in AP."""
    words, base = page.words, runs[0]
    kept = [row for row in rows if row["metric"] in AP_METRICS]
    headers: list[object] = [words.say("column.less", base=base.id)]
    headers += [Safe(kind(row["metric"]).title(words.language)) for row in kept]
    lines = [
        [
            page.run(run),
            *(difference(page, one["metric"], base, run, one["values"]) for one in kept),
        ]
        for run in runs[1:]
    ]
    return table(headers, lines, numeric=range(1, len(headers))) if kept else Safe("")


def _value(page: Page, name: str, value: Mapping[str, Any] | None) -> Safe:
    words = page.words
    if value is None:
        return words.say("not_measured")
    text = words.amount(value["value"], name, value.get("unit", ""))
    return Safe(text + write_interval(words, name, (value.get("low"), value.get("high"))))


def _recipe(page: Page, runs: Sequence[Run]) -> Safe:
    """List the settings in which the runs differ."""
    differing = differing_settings(runs)
    kept = [key for key in differing if key != "train.seed"][:MOST]
    if not kept:
        return Safe("")
    headers: list[object] = [page.words.say("column.setup"), *(page.run(run) for run in runs)]
    rows = [
        [code(key), *(_setting(page, *one, key) for one in zip(runs, differing[key], strict=True))]
        for key in kept
    ]
    return table(headers, rows)


def _setting(page: Page, run: Run, value: object, key: str) -> Safe:
    """Write one setting of a run; the teacher is the very run that taught."""
    if key == "distill.teacher" and parent(run, "teacher"):
        return show_parent(page, run, "teacher")
    return show_value(page.words, value)


def _targets(page: Page, runs: Sequence[Run]) -> Safe:
    """List what the thesis aims at for these experiments."""
    from experiments.compare import aims_of  # noqa: PLC0415 - only comparisons need it

    return cited_table(page, aims_of(runs, page.sources.workspace.cited))
