"""Tables as pandoc's syntax tree, made of rows of texts."""

from __future__ import annotations

from vault_sync.export.reading.pandoc_ast import words


def table(rows):
    """Make the tree of a table; its first row is the head."""

    def row(cells):
        made = [[["", [], []], {"t": "AlignDefault"}, 1, 1, cell(text)] for text in cells]
        return [["", [], []], made]

    def cell(text):
        return [{"t": "Plain", "c": words(text)}]

    specs = [[{"t": "AlignDefault"}, {"t": "ColWidthDefault"}] for _ in rows[0]]
    head = [["", [], []], [row(rows[0])]]
    body = [["", [], []], 0, [], [row(one) for one in rows[1:]]]
    return {"t": "Table", "c": [["", [], []], [None, []], specs, head, [body], [["", [], []], []]]}
