"""One table in the formats of `--format`: Markdown, LaTeX, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from experiments.wording.latex import latex
from experiments.wording.tables import NumberCell, one_line, plain, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.wording.tables import Cell, Table


def markdown(table: Table, language: str = "en") -> str:
    """Return a GitHub-flavoured table, columns padded, notes below it."""
    lines = [[plain(cell, language) for cell in row] for row in (table.columns, *table.rows)]
    cells = [[_escape_markdown(text) for text in line] for line in lines]
    widths = [max(3, *(len(line[at]) for line in cells)) for at in range(len(table.columns))]
    rule = [
        "-" * (width - 1) + ":" if at in table.right else "-" * width
        for at, width in enumerate(widths)
    ]
    padded = [_padded(line, widths, table.right) for line in (cells[0], rule, *cells[1:])]
    text = "\n".join(f"| {' | '.join(line)} |" for line in padded)
    notes = "\n".join(f"- {_escape_markdown(note)}" for note in table.notes)
    return f"{text}\n\n{notes}\n" if notes else f"{text}\n"


def comma_separated(table: Table, language: str = "en") -> str:
    """Return CSV in full precision; intervals and notes on values are columns of their own."""
    del language
    table = _with_notes(table)
    places = range(len(table.columns))
    ranged = [at for at in places if any(any(_ends(row[at])) for row in table.rows)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        _spread(list(table.columns), ranged, lambda title: (f"{title} low", f"{title} high"))
    )
    for row in table.rows:
        writer.writerow(_spread(list(row), ranged, _ends))
    return stream.getvalue()


def as_json(table: Table, language: str = "en") -> str:
    """Return JSON in full precision."""
    del language
    return json.dumps(to_json(table), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


FORMATS: dict[str, Callable[[Table, str], str]] = {
    "md": markdown,
    "latex": latex,
    "csv": comma_separated,
    "json": as_json,
}
"""How `--format` writes a table; `table` is the terminal's own."""


def _padded(line: list[str], widths: list[int], right: frozenset[int]) -> list[str]:
    return [
        text.rjust(width) if at in right else text.ljust(width)
        for at, (text, width) in enumerate(zip(line, widths, strict=True))
    ]


def _escape_markdown(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*")


def _spread(row: list[Any], ranged: list[int], ends: Callable[[Any], tuple[Any, Any]]) -> list[Any]:
    spread: list[Any] = []
    for at, cell in enumerate(row):
        spread.append(_bare(cell))
        spread += ends(cell) if at in ranged else ()
    return spread


def _with_notes(table: Table) -> Table:
    """Return TABLE with a column behind each that has notes on its values."""
    noted = {at for row in table.rows for at, cell in enumerate(row) if _note(cell)}
    titles: list[str] = []
    rows: list[list[Cell]] = [[] for _ in table.rows]
    for at, title in enumerate(table.columns):
        titles += [title, *([f"{title} mark"] if at in noted else [])]
        for row, cells in zip(rows, table.rows, strict=True):
            row += [cells[at], *([_note(cells[at])] if at in noted else [])]
    return replace(table, columns=tuple(titles), rows=tuple(tuple(row) for row in rows))


def _note(cell: Cell) -> str:
    return cell.note if isinstance(cell, NumberCell) else ""


def _bare(cell: Any) -> Any:
    if isinstance(cell, NumberCell):
        return repr(cell.exact)
    return "" if cell is None else cell


def _ends(cell: Cell) -> tuple[str, str]:
    if not isinstance(cell, NumberCell) or cell.low is None or cell.high is None:
        return ("", "")
    return (repr(cell.low or 0), repr(cell.high or 0))
