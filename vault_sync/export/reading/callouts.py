"""Obsidian's callouts: quotes whose first line says what they are, such as `> [!note] Title`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.pandoc_ast import block, div, string, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.reading.pandoc_ast import Node

CALLOUT, TITLE = "callout", "callout-title"
"""Classes of the division a callout becomes, and of its title."""
_MARK = re.compile(r"\[!([\w -]+)(?:\|[^\]]*)?\][+-]?")
_ENDS = ("SoftBreak", "LineBreak")


def frame(row: list[Node], name: Callable[[str], str]) -> list[Node]:
    """Turn the callouts in a row of blocks into divisions; NAME words a kind that has no title."""
    return [_frame(node, name) if node["t"] == "BlockQuote" else node for node in row]


def _frame(quote: Node, name: Callable[[str], str]) -> Node:
    first, *rest = quote["c"] or [block("Para", [])]
    line = first["c"] if first["t"] in ("Para", "Plain") else []
    mark = _mark(line)
    if mark is None:
        return quote
    kind, line = mark
    end = next((place for place, node in enumerate(line) if node["t"] in _ENDS), len(line))
    title = _strip(line[:end]) or words(name(kind))
    body = [block("Para", line[end + 1 :])] if line[end + 1 :] else []
    head = div([block("Para", [block("Strong", title)])], "", TITLE)
    return div([head, *body, *rest], "", CALLOUT, kind)


def _mark(line: list[Node]) -> tuple[str, list[Node]] | None:
    """Read the kind off the first words; return it with what follows them."""
    text = ""
    for place, node in enumerate(line):
        if node["t"] == "Space":
            text += " "
        elif node["t"] == "Str":
            text += node["c"]
        else:
            return None
        match = _MARK.match(text)
        if match and (place + 1 == len(line) or line[place + 1]["t"] != "Str"):
            left = text[match.end() :]
            after = [string(left)] if left.strip() else []
            return "-".join(match[1].lower().split()), [*after, *line[place + 1 :]]
        if not text.startswith("["):
            return None
    return None


def _strip(line: list[Node]) -> list[Node]:
    while line and line[0]["t"] == "Space":
        line = line[1:]
    while line and line[-1]["t"] == "Space":
        line = line[:-1]
    return line
