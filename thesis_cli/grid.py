"""Text tables for a terminal: aligned, wrapped to its width.

A rich table takes three seconds for a thousand runs; this takes some milliseconds.
"""

from __future__ import annotations

import textwrap
import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

GAP = "  "
NARROWEST_PROSE = 16
"""Columns a wrapped column needs to be readable."""
ENOUGH = 3
"""Columns of a cut table for which the names of its rows are not wrapped."""
EMPTY = ("", "–")
"""Cells that say nothing."""
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


@dataclass(frozen=True)
class Grid:
    """A table for the terminal: cells are ready text."""

    columns: Sequence[str]
    """Headings; one that starts with `>` is a column of numbers, with `~` of prose that wraps."""
    rows: Sequence[Sequence[str]]
    facts: Mapping[str, str] = field(default_factory=dict)
    """Lines `name: value` above the table."""
    sections: Mapping[int, str] = field(default_factory=dict)
    """Place of a row -> the line above it, which is said of it and of those below."""
    keyed: bool = False
    """Whether the first column names the row: a table that is too wide is cut into several, each
    with that column."""


def layout(grid: Grid, width: int | None, *, bold: bool = False) -> str:
    """Lay GRID out in WIDTH columns (None: as wide as it needs); BOLD headings.

    Columns without content are left out. Where even wrapping can't make the rest fit, a keyed
    table is cut into several; in another each cell gets a line of its own.
    """
    facts = [f"{name}: {value}" for name, value in grid.facts.items()]
    grid = without_empty(grid)
    if not grid.columns:
        return "\n".join(facts)
    names = [heading.lstrip(">~") for heading in grid.columns]
    if facts:
        facts.append("")
    fitted = widths_of(grid, width)
    if fitted is None and grid.keyed:
        fitted = widths_of(grid, width, narrow=True)
    if fitted is None and grid.keyed and len(names) > 2 and width is not None:
        parts = (layout(part, width, bold=bold) for part in cut(grid, width))
        return "\n".join(facts) + "\n\n".join(parts)
    if fitted is None:
        return "\n".join([*facts, *records(names, grid)])
    heading = "\n".join(lines(names, grid.columns, fitted, bottom=True))
    rule = GAP.join("─" * each for each in fitted)
    body = []
    for place, row in enumerate(grid.rows):
        body += above(grid, place)
        body += lines(row, grid.columns, fitted)
    return "\n".join([*facts, f"{BOLD}{heading}{PLAIN}" if bold else heading, rule, *body])


def above(grid: Grid, place: int) -> list[str]:
    """Return what stands above the row at PLACE, parted from the rows before."""
    if place not in grid.sections:
        return []
    return [*([""] if place else []), grid.sections[place]]


def widths_of(grid: Grid, limit: int | None, *, narrow: bool = False) -> list[int] | None:
    """Return the widths of columns within LIMIT, headings wrapped; None where they are too wide.

    NARROW: the first column, which names the rows, is wrapped too.
    """
    names = [heading.lstrip(">~") for heading in grid.columns]
    cells = [max((breadth(row[at]) for row in grid.rows), default=0) for at in range(len(names))]
    widths = list(map(max, map(breadth, names), cells))
    if limit is None or sum(widths) + len(GAP) * (len(widths) - 1) <= limit:
        return widths
    words = [max(map(breadth, name.split()), default=0) for name in names]
    wrapped_headings = [
        whole if heading.startswith("~") else max(word, cell)
        for heading, whole, word, cell in zip(grid.columns, widths, words, cells, strict=True)
    ]
    columns = [f"~{names[0]}", *grid.columns[1:]] if narrow else grid.columns
    return fit(wrapped_headings, columns, limit)


def cut(grid: Grid, limit: int) -> Iterator[Grid]:
    """Yield tables of at most LIMIT columns with the first column and some of the others.

    Rows that say nothing in a part are left out of it.
    """
    rest = list(range(1, len(grid.columns)))
    while rest:
        count = fitting(grid, rest, limit)
        if count < ENOUGH:
            count = max(count, fitting(grid, rest, limit, narrow=True))
        yield part_of(grid, rest[:count])
        rest = rest[count:]


def fitting(grid: Grid, places: Sequence[int], limit: int, *, narrow: bool = False) -> int:
    """Count how many columns of PLACES fit beside the first; at least one."""
    for count in range(len(places), 1, -1):
        if widths_of(part_of(grid, places[:count]), limit, narrow=narrow):
            return count
    return 1


def part_of(grid: Grid, places: Sequence[int]) -> Grid:
    """Return the table of GRID's first column and those at PLACES, with the rows that fill them."""
    kept = [row for row in grid.rows if any(row[at] not in EMPTY for at in places)]
    return Grid(
        [grid.columns[at] for at in (0, *places)],
        [[row[at] for at in (0, *places)] for row in kept],
        keyed=True,
    )


def without_empty(grid: Grid) -> Grid:
    """Leave out the columns that hold nothing."""
    kept = [at for at in range(len(grid.columns)) if any(row[at] for row in grid.rows)]
    rows = [[row[at] for at in kept] for row in grid.rows]
    return replace(grid, columns=[grid.columns[at] for at in kept], rows=rows)


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


def lines(
    cells: Sequence[str], columns: Sequence[str], widths: Sequence[int], *, bottom: bool = False
) -> Iterator[str]:
    """Yield the lines of one row; only prose and headings have more than one.

    BOTTOM: short cells stand in the last line, as headings do.
    """
    parts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(map(len, parts))
    if bottom:
        parts = [[""] * (height - len(part)) + part for part in parts]
    for number in range(height):
        shown = [part[number] if number < len(part) else "" for part in parts]
        aligned = [
            pad(text, width, right=heading.startswith(">"))
            for text, width, heading in zip(shown, widths, columns, strict=True)
        ]
        yield GAP.join(aligned).rstrip()


def wrapped(cell: str, width: int) -> list[str]:
    """Break a cell at spaces, not at hyphens, and within words longer than the column."""
    if len(cell) <= width and "\n" not in cell:
        return [cell]
    return textwrap.wrap(cell, max(width, 1), break_on_hyphens=False) or [""]


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


def records(names: Sequence[str], grid: Grid) -> Iterator[str]:
    """Yield one line per cell, a blank line between rows."""
    for number, row in enumerate(grid.rows):
        if number:
            yield ""
        if number in grid.sections:
            yield grid.sections[number]
        for name, cell in zip(names, row, strict=True):
            if cell:
                yield f"{name}: {cell}"
