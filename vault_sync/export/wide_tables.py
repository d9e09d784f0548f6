"""Tables too wide even for a turned page, as several: each repeats the first column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.export import tables
from vault_sync.export.reading.callouts import CALLOUT
from vault_sync.export.reading.pandoc_ast import block, classes, rewrite
from vault_sync.export.reading.pandoc_ast import words as inlines_of

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node

INDENT = 15.0
"""Mm of a line that lists, quotations and callouts take."""


def split_wide(blocks: list[Node], label: str) -> list[Node]:
    """Return BLOCKS with wide tables split; LABEL stands above each but the first part.

    Tables in lists, quotations and callouts can't turn the page: they are split sooner.
    """
    made: list[Node] = []
    for node in blocks:
        if node["t"] == "Table":
            made += _split(node, label, nested=False)
        elif node["t"] == "Div" and CALLOUT not in classes(node):
            made.append(block("Div", [node["c"][0], split_wide(node["c"][1], label)]))
        else:
            made.append(rewrite(node, blocks=lambda row: _nested(row, label)))
    return made


def _nested(row: list[Node], label: str) -> list[Node]:
    return [
        part
        for node in row
        for part in (_split(node, label, nested=True) if node["t"] == "Table" else [node])
    ]


def _split(table: Node, label: str, *, nested: bool) -> list[Node]:
    if nested:
        table = _with_class(table, tables.UPRIGHT)
    columns, lost = tables.column_texts(table), INDENT if nested else 0
    sizes = [size for size in tables.SIZES if not (nested and size.turned)]
    if (
        len(columns) < 3
        or _spans(table)
        or any(tables.has_room(columns, size, lost) for size in sizes)
    ):
        return [table]
    groups = _groups(columns, lost)
    if len(groups) < 2:
        return [table]
    table = _with_class(table, tables.SPLIT)
    parts = [_part(table, [0, *group], first=not at) for at, group in enumerate(groups)]
    note = block("Para", [block("Emph", inlines_of(label))])
    return [parts[0], *(node for part in parts[1:] for node in (note, part))]


def _groups(columns: list[list[str]], lost: float) -> list[list[int]]:
    """Part the columns after the first: evenly where each part fits an upright page, else greedily.

    The letters are those of small tables: to split one and to set it tiny would be twice worse.
    """
    size, last = tables.SIZES[1], len(columns)

    def fits(group: list[int]) -> bool:
        return tables.has_room([columns[at] for at in (0, *group)], size, lost)

    greedy: list[list[int]] = [[]]
    for at in range(1, last):
        if greedy[-1] and not fits([*greedy[-1], at]):
            greedy.append([])
        greedy[-1].append(at)
    width = -(-(last - 1) // len(greedy))
    even = [list(range(start, min(start + width, last))) for start in range(1, last, width)]
    return even if all(fits(group) for group in even) else greedy


def _part(table: Node, kept: list[int], *, first: bool) -> Node:
    """Return the table with the columns KEPT; only the FIRST part has its name and caption."""
    attrs, legend, specs, head, bodies, foot = table["c"]
    if not first:
        attrs, legend = ["", attrs[1], []], [None, []]
    return block(
        "Table",
        [
            attrs,
            legend,
            [specs[at] for at in kept],
            [head[0], _rows(head[1], kept)],
            [[body[0], body[1], _rows(body[2], kept), _rows(body[3], kept)] for body in bodies],
            [foot[0], _rows(foot[1], kept)],
        ],
    )


def _rows(rows: list[list[object]], kept: list[int]) -> list[list[object]]:
    return [[attrs, [cells[at] for at in kept]] for attrs, cells in rows]  # type: ignore[index]


def _spans(table: Node) -> bool:
    """Whether a cell stands in several columns or rows."""
    _, _, _, head, bodies, foot = table["c"]
    rows = [*head[1], *foot[1], *(row for body in bodies for row in (*body[2], *body[3]))]
    return any(cell[2] != 1 or cell[3] != 1 for row in rows for cell in row[1])


def _with_class(table: Node, name: str) -> Node:
    (identity, names, pairs), *rest = table["c"]
    return block("Table", [[identity, [*names, name], pairs], *rest])
