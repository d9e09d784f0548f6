"""Lay out Markdown as formatters do, so that Prettier and its like leave a block as it is.

Cells of tables are padded to the width of their column, and a line in italics stands between
underscores. Everything else is written that way from the beginning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+\s*")
_CELL = re.compile(r"(?<!\\)\|")
_ITALIC = re.compile(r"\*(?![\s*])([^*]*[^\s*\\])\*(?P<id> \^[\w-]+)?")
"""A line in italics, with the block id behind it."""
_EMPHASIS_INSIDE = re.compile(r"(?<!\w)_|_(?!\w)")
LEAST = 3
"""Characters of the narrowest column."""


def settle(text: str) -> str:
    """Return TEXT as formatters would leave it; it says the same, and code stays as it is."""
    return "\n".join(_settled(text.split("\n")))


def _settled(lines: Sequence[str]) -> Iterator[str]:
    fence, place = "", 0
    while place < len(lines):
        line = lines[place]
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        elif line.startswith("|") and place + 1 < len(lines) and _RULE.fullmatch(lines[place + 1]):
            stop = place
            while stop < len(lines) and lines[stop].startswith("|"):
                stop += 1
            yield from _table(lines[place:stop])
            place = stop
            continue
        else:
            line = _italic(line)
        yield line
        place += 1


def _italic(line: str) -> str:
    match = _ITALIC.fullmatch(line)
    if match is None or _EMPHASIS_INSIDE.search(match[1]):
        return line
    return f"_{match[1]}_{match['id'] or ''}"


def _table(lines: Sequence[str]) -> Sequence[str]:
    """Pad the cells of a table; one whose rows are not all alike stays as it is."""
    from rich.cells import cell_len  # noqa: PLC0415 - only where there are tables

    rows = [[cell.strip() for cell in _CELL.split(line.strip())[1:-1]] for line in lines]
    if any(
        len(row) != len(rows[0]) or not line.rstrip().endswith("|")
        for row, line in zip(rows, lines, strict=True)
    ):
        return lines
    texts = [rows[0], *rows[2:]]
    widths = [max(LEAST, *map(cell_len, column)) for column in zip(*texts, strict=True)]
    rule = [_ruled(mark, width) for mark, width in zip(rows[1], widths, strict=True)]
    padded = []
    for row in texts:
        cells = []
        for cell, mark, width in zip(row, rows[1], widths, strict=True):
            space = width - cell_len(cell)
            before = {"::": space // 2, "-:": space}.get(mark[0] + mark[-1], 0)
            cells.append(" " * before + cell + " " * (space - before))
        padded.append(cells)
    return [f"| {' | '.join(row)} |" for row in (padded[0], rule, *padded[1:])]


def _ruled(mark: str, width: int) -> str:
    """Return the dashes under a head, with the colons that MARK has."""
    left, right = mark[0] == ":", mark[-1] == ":"
    return ":" * left + "-" * (width - left - right) + ":" * right
