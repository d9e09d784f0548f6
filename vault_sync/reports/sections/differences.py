"""Tables and cells of how runs differ from the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.conditions import TIMED
from experiments.metrics import kind
from vault_sync.rendering.markdown import Safe, table
from vault_sync.reports.sections.comparison_cache import write_difference, write_interval
from vault_sync.reports.sections.speed import same_speed_setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page


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
    timed = name.startswith(TIMED) and not same_speed_setting(base, run)
    if delta is None or timed or name.endswith("parity"):
        return words.say("none")
    unit, ends = value.get("unit", ""), (delta["low"], delta["high"])
    text = write_difference(words, name, delta["value"], unit, ends, sure=delta["established"])
    before = values[base.id]["value"]
    if unit == "fraction" or not before or not delta["value"]:
        return text
    share = words.number(delta["value"] / before, "+.1%")
    return Safe(f"{text} ({share})")


def _value(page: Page, name: str, value: Mapping[str, Any] | None) -> Safe:
    words = page.words
    if value is None:
        return words.say("not_measured")
    text = words.amount(value["value"], name, value.get("unit", ""))
    return Safe(text + write_interval(words, name, (value.get("low"), value.get("high"))))
