"""Tables and cells of how runs differ from the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.comparison.table import CORRECTED, lines
from experiments.metrics import kind
from vault_sync.rendering.markdown import Safe
from vault_sync.reports.sections.comparison_cache import write_difference, write_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.comparison.table import ComparisonLine, Difference, Value
    from experiments.records.run import Run
    from vault_sync.rendering.page import Page
    from vault_sync.rendering.words import Words


def side_by_side(
    page: Page,
    runs: Sequence[Run],
    rows: Iterable[Mapping[str, Any]],
    name: str = "measures",
) -> Safe:
    """Lay out `compared(...)["rows"]`: a column per run, and one per difference from the first.

    NAME is that of the table in its caption and its id.
    """
    words, base = page.words, runs[0]
    headers: list[object] = [words.say("column.metric"), *(page.run(run) for run in runs)]
    headers += [words.say("column.difference", run=run.id, base=base.id) for run in runs[1:]]
    body = [
        [
            Safe(kind(line.metric).title(words.language)),
            *(_value(words, line, value) for value in line.values),
            *(_difference(words, line, difference) for difference in line.differences),
        ]
        for line in lines(rows, [run.id for run in runs])
    ]
    named = words.listing([run.id for run in runs])
    return page.table(name, headers, body, range(1, len(headers)), runs=named)


def differences(
    page: Page, base: Run, runs: Sequence[Run], rows: Iterable[Mapping[str, Any]]
) -> list[list[Safe]]:
    """Write for each of RUNS how it differs from BASE in the metrics of ROWS."""
    body = lines(rows, [base.id, *(run.id for run in runs)])
    return [
        [_difference(page.words, line, line.differences[place]) for line in body]
        for place in range(len(runs))
    ]


def _difference(words: Words, line: ComparisonLine, difference: Difference) -> Safe:
    if difference.number is None:
        return words.say("none")
    ends, sure = (difference.low, difference.high), difference.mark == CORRECTED
    mark = "" if sure else difference.mark
    text = write_difference(
        words, line.metric, difference.number, line.unit, ends, sure=sure, mark=mark
    )
    share = "" if difference.share is None else f" ({words.number(difference.share, '+.1%')})"
    return Safe(f"{text}{share}")


def _value(words: Words, line: ComparisonLine, value: Value | None) -> Safe:
    if value is None:
        return words.say("not_measured")
    text = words.amount(value.number, line.metric, line.unit)
    ends = write_interval(words, line.metric, (value.low, value.high))
    return Safe(f"{text}{words.marks(value.marks)}{ends}")
