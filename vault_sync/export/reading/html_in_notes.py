"""HTML in notes: what shows words or pictures becomes nodes of the tree, the rest is dropped."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.marks import mark_of
from vault_sync.export.reading.pandoc_ast import attributes, block, find, rewrite, span, string

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vault_sync.export.reading.pandoc_ast import Node

_TAG = re.compile(r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)\b(?P<rest>[^>]*)>")
_ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_WORDLESS = re.compile(
    r"<!--.*?-->|<(script|style|iframe)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE
)

PAIRS: dict[str, Callable[[list[Node]], Node]] = {
    "mark": lambda inner: span(inner, "", "mark"),
    "kbd": lambda inner: span(inner, "", "kbd"),
    "u": lambda inner: block("Underline", inner),
    "ins": lambda inner: block("Underline", inner),
    "sub": lambda inner: block("Subscript", inner),
    "sup": lambda inner: block("Superscript", inner),
    "b": lambda inner: block("Strong", inner),
    "strong": lambda inner: block("Strong", inner),
    "i": lambda inner: block("Emph", inner),
    "em": lambda inner: block("Emph", inner),
    "s": lambda inner: block("Strikeout", inner),
    "del": lambda inner: block("Strikeout", inner),
}
"""Tag -> what its content becomes; other tags leave their content as it is."""


def fragments(blocks: list[Node]) -> list[str]:
    """Return the pieces of HTML that hold words or pictures, for pandoc to read."""
    return [node["c"][1] for node in find(blocks, "RawBlock") if _has_content(node["c"][1])]


def resolve(blocks: list[Node], pieces: Mapping[str, list[Node]]) -> list[Node]:
    """Put PIECES, what pandoc made of `fragments`, in their places; resolve HTML in lines."""

    def change(row: list[Node]) -> list[Node]:
        nodes: list[Node] = []
        for node in row:
            nodes += _block(node, pieces) if node["t"] == "RawBlock" else [node]
        return nodes

    changed: list[Node] = rewrite(blocks, inlines=_nest, blocks=change)
    return changed


def _has_content(text: str) -> bool:
    return bool(_WORDLESS.sub("", text).strip()) or "<img" in text.lower()


def _block(node: Node, pieces: Mapping[str, list[Node]]) -> list[Node]:
    text = node["c"][1]
    mark = mark_of(text, within=False)
    if mark is not None:
        return [mark]
    return pieces[text] if _has_content(text) else []


def _nest(row: list[Node]) -> list[Node]:
    """Turn opening and closing tags in a row into nodes that hold what is between them."""
    if not any(node["t"] == "RawInline" for node in row):
        return row
    open_tags: list[tuple[str, list[Node]]] = [("", [])]
    for node in row:
        tag = _TAG.fullmatch(node["c"][1].strip()) if node["t"] == "RawInline" else None
        if node["t"] != "RawInline":
            open_tags[-1][1].append(node)
        elif tag is None or tag["name"].lower() not in PAIRS:
            open_tags[-1][1].extend(_single(node["c"][1], tag))
        elif not tag["end"]:
            open_tags.append((tag["name"].lower(), []))
        elif any(name == tag["name"].lower() for name, _ in open_tags):
            _close(open_tags, tag["name"].lower())
    while len(open_tags) > 1:  # never closed: its content stays as it is
        _, inner = open_tags.pop()
        open_tags[-1][1].extend(inner)
    return open_tags[0][1]


def _close(open_tags: list[tuple[str, list[Node]]], name: str) -> None:
    while True:
        inside, inner = open_tags.pop()
        if inside == name:
            open_tags[-1][1].append(PAIRS[name](inner))
            return
        open_tags[-1][1].extend(inner)


def _single(text: str, tag: re.Match[str] | None) -> list[Node]:
    """Return what a tag without content stands for."""
    mark = mark_of(text, within=True)
    if mark is not None:
        return [mark]
    if tag is None:
        return []
    if tag["name"].lower() == "br":
        return [{"t": "LineBreak"}]
    return [_image(tag["rest"])] if tag["name"].lower() == "img" else []


def _image(text: str) -> Node:
    values = {
        key.lower(): html.unescape(double or single or bare)
        for key, double, single, bare in _ATTRIBUTE.findall(text)
    }
    alt = [string(values["alt"])] if values.get("alt") else []
    width = re.fullmatch(r"(\d+)(?:px)?", values.get("width", ""))
    size = {"width": width[1]} if width else {}
    return {"t": "Image", "c": [attributes(**size), alt, [values.get("src", ""), ""]]}
