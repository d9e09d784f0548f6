"""Typographic letters for straight ones, and the spaces of French, outside code and formulas."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.pandoc_ast import plain, string

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.reading.pandoc_ast import Node

NARROW = "\u202f"
"""Narrow no-break space."""
_APOSTROPHE = re.compile(r"(?<=\w)'")
_HIGH = re.compile(r"[;:!?»]+")
_QUOTES = {"fr": ("«" + NARROW, NARROW + "»"), "en": ("“", "”")}


def typeset(language: str) -> Callable[[list[Node]], list[Node]]:
    """Return the function that sets a row of inlines as LANGUAGE (`fr`, `en`) wants it.

    Spaces are made narrow and unbreakable where the writer put one; none is added to a word, for
    `10:30` and addresses hold the same letters.
    """

    def change(row: list[Node]) -> list[Node]:
        row = [_letters(node) for node in row]
        return _spaces(row) if language == "fr" else row

    return change


def quote(language: str) -> Callable[[list[Node]], list[Node]]:
    """Return the function that puts LANGUAGE's quotation marks into a row of blocks."""
    opening, closing = _QUOTES[language]

    def change(row: list[Node]) -> list[Node]:
        return [
            {**node, "c": _quoted(node["c"], opening, closing)}
            if node["t"] in ("Para", "Plain") and plain(node["c"]).count('"') % 2 == 0
            else node
            for node in row
        ]

    return change


def _letters(node: Node) -> Node:
    if node["t"] != "Str":
        return node
    text = _APOSTROPHE.sub("’", node["c"]).replace("...", "…")
    return string({"--": "–", "---": "—"}.get(text, text))


def _spaces(row: list[Node]) -> list[Node]:
    """Bind `:`, `?`, `»` and their like to the word before, and `«` to the word after."""
    spaced: list[Node] = []
    for node in row:
        bound = spaced and spaced[-1]["t"] == "Space"
        if bound and _belongs(spaced, node):
            spaced[-1] = string(NARROW)
        after = node["t"] == "Space" and bool(spaced) and _ends_with_opening(spaced[-1])
        spaced.append(string(NARROW) if after else node)
    return _merged(spaced)


def _belongs(before: list[Node], node: Node) -> bool:
    """Whether a word must not be parted from the one before it; `%` only from a number."""
    if node["t"] != "Str":
        return False
    text: str = node["c"]
    counted = text.startswith("%") and plain(before[-2:-1])[-1:].isdigit()
    return counted or _HIGH.match(text) is not None


def _ends_with_opening(node: Node) -> bool:
    return node["t"] == "Str" and str(node["c"]).endswith("«")


def _merged(row: list[Node]) -> list[Node]:
    """Join words that follow each other without space."""
    merged: list[Node] = []
    for node in row:
        if node["t"] == "Str" and merged and merged[-1]["t"] == "Str":
            merged[-1] = string(merged[-1]["c"] + node["c"])
        else:
            merged.append(node)
    return merged


def _quoted(row: list[Node], opening: str, closing: str) -> list[Node]:
    """Turn every second straight quotation mark into the closing one."""
    marks = [opening, closing]

    def replace(_: re.Match[str]) -> str:
        marks.reverse()
        return marks[1]

    def walk(value: list[Node]) -> list[Node]:
        nodes = []
        for node in value:
            if node["t"] == "Str":
                nodes.append(string(re.sub('"', replace, node["c"])))
            elif node["t"] in ("Emph", "Strong", "Strikeout", "Underline"):
                nodes.append({**node, "c": walk(node["c"])})
            elif node["t"] in ("Link", "Span"):
                nodes.append({**node, "c": [node["c"][0], walk(node["c"][1]), *node["c"][2:]]})
            else:
                nodes.append(node)
        return nodes

    return walk(row)
