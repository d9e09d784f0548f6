"""The comparison chapter: runs side by side, and how sure their differences are."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from experiments.metrics import kind
from featherface.errors import RefusedError, ThesisError
from featherface.files import write_atomic
from vault_sync.context import Group, Page, group, table
from vault_sync.rendering import Safe, code
from vault_sync.reports.cited import cited_table
from vault_sync.reports.drawing import precision_recall_of, size_against_ap
from vault_sync.reports.speed import speed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.store import Run

NAMING = ("name", "title", "hypothesis", "tags")
"""Recipe keys that differ by nature."""
MOST = 20
"""Differing recipe keys that a table shows."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/comparison.jinja shows; None before there are two runs."""
    runs = page.sources.select(page.selectors)
    if len(runs) < 2:
        return None
    groups = [_group(page, *one) for one in enumerate(group(runs, page.words), 1)]
    return {
        "runs": [page.run_in_prose(run) for run in runs],
        "groups": groups,
        "targets": _targets(page, runs),
        "picture": size_against_ap(page, runs),
    }


def _group(page: Page, number: int, one: Group) -> dict[str, Any]:
    found = _compared(page, one.runs) if len(one.runs) > 1 else _alone(one.runs[0])
    resamples = (found["bootstrap"] or {}).get("resamples", 0)
    return {
        "claim": one.claim,
        "table": _table(page, one.runs, found["rows"]),
        "speed": speed(page, one.runs),
        "recipe": _recipe(page, one.runs, found["recipe"]),
        "resamples": page.words.number(resamples, ",") if resamples else "",
        "picture": precision_recall_of(page, one.runs, number) if one.evaluated else "",
    }


def _compared(page: Page, runs: Sequence[Run]) -> dict[str, Any]:
    """Compare, or read what the same comparison gave before: resampling takes its time."""
    key = json.dumps([_engine(), *(f"{run.id} {run.seal}" for run in runs)])
    name = f"{hashlib.sha256(key.encode()).hexdigest()}.json"
    path = page.sources.workspace.state / "cache" / "comparisons" / name
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = _compare(page, runs)
        write_atomic(path, json.dumps(kept, ensure_ascii=False))
    return kept


def _compare(page: Page, runs: Sequence[Run]) -> dict[str, Any]:
    from experiments.compare import compare  # noqa: PLC0415 - only comparisons need it

    try:
        found = compare(runs, store=page.sources.store).to_json()
    except ThesisError as error:
        raise RefusedError(error.message, error.hint) from error
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return plain


def _alone(run: Run) -> dict[str, Any]:
    rows = [{"metric": one.name, "values": {run.id: one.to_json()}} for one in run.metrics]
    return {"rows": rows, "recipe": {}, "bootstrap": None}


def _engine() -> str:
    """Say by what runs are compared: another version may compare them otherwise."""
    parts = [
        resources.files("experiments").joinpath(name).read_bytes()
        for name in ("compare.py", "statistics.py")
    ]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _table(page: Page, runs: Sequence[Run], rows: Sequence[Mapping[str, Any]]) -> Safe:
    words, base = page.words, runs[0].id
    headers: list[object] = [words.say("column.metric"), *(page.run(run) for run in runs)]
    headers += [words.say("column.difference", run=run.id, base=base) for run in runs[1:]]
    lines = []
    for row in rows:
        name, values = row["metric"], row["values"]
        line: list[object] = [Safe(kind(name).title(words.language))]
        line += [_value(page, name, values.get(run.id)) for run in runs]
        line += [_difference(page, name, values.get(run.id)) for run in runs[1:]]
        lines.append(line)
    return table(headers, lines, numeric=range(1, len(headers)))


def _value(page: Page, name: str, value: Mapping[str, Any] | None) -> Safe:
    words = page.words
    if value is None:
        return words.say("not_measured")
    text = words.amount(value["value"], name, value.get("unit", ""))
    return Safe(text + _interval(page, name, value.get("low"), value.get("high")))


def _difference(page: Page, name: str, value: Mapping[str, Any] | None) -> Safe:
    """Write how a run differs from the first; AP in points."""
    words, delta = page.words, (value or {}).get("delta")
    if value is None or delta is None:
        return words.say("none")
    unit = value.get("unit", "")
    if unit == "fraction":
        text = words.say("points", n=words.number(100 * delta["value"], "+.1f"))
    else:
        text = words.amount(delta["value"], name, unit, sign="+")
    return Safe(text + _interval(page, name, delta["low"], delta["high"]))


def _interval(page: Page, name: str, low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    places = kind(name).places
    ends = [page.words.number(100 * end, f".{places}f") for end in (low, high)]
    return page.words.say("range", low=ends[0], high=ends[1])


def _recipe(page: Page, runs: Sequence[Run], differing: Mapping[str, Sequence[Any]]) -> Safe:
    """List the settings in which the runs differ."""
    kept = [key for key in differing if key not in NAMING][:MOST]
    if not kept:
        return Safe("")
    headers: list[object] = [page.words.say("column.setup"), *(page.run(run) for run in runs)]
    none = page.words.say("none")
    rows = [
        [code(key), *(none if one in (None, "", []) else code(one) for one in differing[key])]
        for key in kept
    ]
    return table(headers, rows)


def _targets(page: Page, runs: Sequence[Run]) -> Safe:
    """List what the thesis aims at for these experiments."""
    from experiments.compare import aims_of  # noqa: PLC0415 - only comparisons need it

    return cited_table(page, aims_of(runs, page.sources.workspace.cited))
