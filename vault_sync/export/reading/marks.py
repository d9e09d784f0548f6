"""Marks: the empty spans and divisions that stand where a note names what is beside them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.obsidian import ANCHOR
from vault_sync.export.reading.pandoc_ast import classes, div, plain, span
from vault_sync.export.reading.reference_tokens import LABELLED
from vault_sync.export.reading.syntax import LABEL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault_sync.export.reading.pandoc_ast import Node

PLACE = "thesis-anchor"
"""Class of a mark."""
BREAKS = ("SoftBreak", "LineBreak")
SPACES = ("Space", *BREAKS)
_COMMENT = re.compile(
    rf"\s*<!--(?:{ANCHOR}(?P<block>[A-Za-z0-9-]+)"
    rf"|{LABELLED}(?P<label>[\w:.+/-]*)(?: (?P<width>\d+))?(?P<flag> unnumbered)?)-->\s*"
)


def mark_of(comment: str, *, within: bool) -> Node | None:
    """Return the mark that a comment is: a span WITHIN a line, a division between blocks."""
    match = _COMMENT.fullmatch(comment)
    if match is None:
        return None
    pairs = {"name": match["block"] or match["label"]}
    pairs |= {"label": "yes"} if match["block"] is None else {}
    pairs |= {"width": match["width"]} if match["width"] else {}
    pairs |= {"unnumbered": "yes"} if match["flag"] else {}
    return (span if within else div)([], "", PLACE, **pairs)


def is_mark(node: Node) -> bool:
    """Whether a node is a mark."""
    return node["t"] in ("Span", "Div") and PLACE in classes(node)


def pairs_of(mark: Node) -> dict[str, str]:
    """Return what a mark says: `name`, and for names in braces `label`, `width`, `unnumbered`."""
    return dict(mark["c"][0][2])


def attach(row: list[Node]) -> list[Node]:
    """Give pictures the width in the braces behind them, and formulas marks for their names."""
    attached: list[Node] = []
    for node in row:
        if node["t"] == "Math":
            attached += _labelled(node)
            continue
        width = pairs_of(node).get("width") if is_mark(node) else None
        if width and attached and attached[-1]["t"] == "Image":
            (name, kinds, _), *rest = attached[-1]["c"]
            attached[-1] = {"t": "Image", "c": [[name, kinds, [["width", width]]], *rest]}
        attached.append(node)
    return attached


def _labelled(node: Node) -> list[Node]:
    kind, text = node["c"]
    names = LABEL.findall(text)
    marks = [span([], "", PLACE, name=name, label="yes") for name in names]
    return [{"t": "Math", "c": [kind, LABEL.sub("", text)]}, *marks] if names else [node]


def part(row: Iterable[Node]) -> tuple[list[Node], list[str]]:
    """Return a row of inlines without its marks and outer spaces, and the ids of the marks."""
    rest, ids = [], []
    for node in row:
        if is_mark(node):
            ids.append(node["c"][0][0])
        else:
            rest.append(node)
    return strip(rest), ids


def strip(row: list[Node]) -> list[Node]:
    """Return a row of inlines without spaces at its ends."""
    first = next((place for place, node in enumerate(row) if node["t"] not in SPACES), len(row))
    last = next((n for n in range(len(row), first, -1) if row[n - 1]["t"] not in SPACES), first)
    return row[first:last]


def lines_of(row: list[Node]) -> list[list[Node]]:
    """Return the lines of a paragraph, without the breaks between them."""
    lines: list[list[Node]] = [[]]
    for node in row:
        if node["t"] in BREAKS:
            lines.append([])
        else:
            lines[-1].append(node)
    return lines


def italics(row: Iterable[Node]) -> list[Node] | None:
    """Return the words of a row of inlines that is all in italics."""
    rest, _ = part(row)
    if len(rest) != 1 or rest[0]["t"] != "Emph" or not plain(rest[0]).strip():
        return None
    inner: list[Node] = rest[0]["c"]
    return inner


def pictures(row: Iterable[Node]) -> list[Node]:
    """Return the pictures of a row of inlines that holds nothing else."""
    rest = [node for node in part(row)[0] if node["t"] not in SPACES]
    return rest if all(node["t"] == "Image" for node in rest) else []
