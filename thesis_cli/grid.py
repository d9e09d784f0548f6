"""Text tables for a terminal: aligned, wrapped to its width.

A rich table takes three seconds for a thousand runs; this takes some milliseconds.
"""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GAP = "  "
NARROWEST_PROSE = 16
"""Columns a wrapped column needs to be readable."""
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True)
class Grid:
    """A table for the terminal: cells are ready text."""

    columns: Sequence[str]
    """Headings; one that starts with `>` is a column of numbers, with `~` of prose that wraps."""
    rows: Sequence[Sequence[str]]
    facts: Mapping[str, str] = field(default_factory=dict)
    """Lines `name: value` above the table."""


def layout(grid: Grid, width: int | None, *, bold: bool = False) -> str:
    """Lay GRID out in WIDTH columns (None: as wide as it needs); BOLD headings.

    Columns without content are left out. Where even wrapping can't make the rest fit, each cell
    gets a line of its own.
    """
    facts = [f"{name}: {value}" for name, value in grid.facts.items()]
    grid = without_empty(grid)
    if not grid.columns:
        return "\n".join(facts)
    names = [heading.lstrip(">~") for heading in grid.columns]
    if facts:
        facts.append("")
    widths = [max(map(breadth, cells)) for cells in zip(names, *grid.rows, strict=True)]
    fitted = fit(widths, grid.columns, width)
    if fitted is None:
        return "\n".join([*facts, *records(names, grid.rows)])
    heading = "\n".join(lines(names, grid.columns, fitted))
    rule = GAP.join("─" * each for each in fitted)
    body = [text for row in grid.rows for text in lines(row, grid.columns, fitted)]
    return "\n".join([*facts, f"{BOLD}{heading}{PLAIN}" if bold else heading, rule, *body])


def without_empty(grid: Grid) -> Grid:
    """Leave out the columns that hold nothing."""
    kept = [at for at in range(len(grid.columns)) if any(row[at] for row in grid.rows)]
    rows = [[row[at] for at in kept] for row in grid.rows]
    return Grid([grid.columns[at] for at in kept], rows, grid.facts)


def fit(widths: list[int], columns: Sequence[str], limit: int | None) -> list[int] | None:
    """Narrow the columns of prose until the sum keeps to LIMIT; None where it can't."""
    total = sum(widths) + len(GAP) * (len(widths) - 1)
    if limit is None or total <= limit:
        return widths
    prose = [place for place, heading in enumerate(columns) if heading.startswith("~")]
    fixed = total - sum(widths[place] for place in prose)
    room = limit - fixed
    least = {place: min(widths[place], NARROWEST_PROSE) for place in prose}
    if not prose or room < sum(least.values()):
        return None
    fitted = list(widths)
    for place in sorted(prose, key=lambda each: widths[each]):
        others = [each for each in least if each != place]
        fair = max(room // len(least), least[place])
        fitted[place] = min(widths[place], fair, room - sum(least[each] for each in others))
        room -= fitted[place]
        del least[place]
    return fitted


def lines(cells: Sequence[str], columns: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Yield the lines of one row; only prose has more than one."""
    parts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for number in range(max(map(len, parts))):
        shown = [part[number] if number < len(part) else "" for part in parts]
        aligned = [
            pad(text, width, right=heading.startswith(">"))
            for text, width, heading in zip(shown, widths, columns, strict=True)
        ]
        yield GAP.join(aligned).rstrip()


def wrapped(cell: str, width: int) -> list[str]:
    """Break a cell at spaces, and within words that are longer than the column."""
    if len(cell) <= width and "\n" not in cell:
        return [cell]
    return textwrap.wrap(cell, max(width, 1)) or [""]


def pad(text: str, width: int, *, right: bool) -> str:
    """Fill TEXT with spaces up to WIDTH columns."""
    missing = " " * (width - breadth(text))
    return missing + text if right else text + missing


def breadth(text: str) -> int:
    """Count the terminal columns that TEXT takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def records(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield one line per cell, a blank line between rows."""
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, cell in zip(names, row, strict=True):
            if cell:
                yield f"{name}: {cell}"
