"""Pictures that stand alone, as figures with their captions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.export.reading.pandoc_ast import block, plain

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node

_BETWEEN = ("Space", "SoftBreak", "LineBreak")


def caption(row: list[Node]) -> list[Node]:
    """Make figures of the paragraphs that hold only pictures.

    A line in italics below is the caption, as Obsidian's readers write it; else the picture's own
    words are. One without words is shown without number.
    """
    blocks: list[Node] = []
    for node in row:
        words = _italic(node)
        if words is not None and blocks and _awaits(blocks[-1]):
            blocks[-1] = _figure(blocks[-1]["pictures"], words)
            continue
        pictures = _pictures(node)
        if pictures:
            blocks += [{"t": "", "pictures": [picture]} for picture in pictures]
        else:
            blocks.append(node)
    return [_figure(entry["pictures"], None) if _awaits(entry) else entry for entry in blocks]


def _awaits(node: Node) -> bool:
    return "pictures" in node


def _pictures(node: Node) -> list[Node]:
    """Return the pictures of a paragraph that holds nothing else."""
    if node["t"] not in ("Para", "Plain"):
        return []
    rest = [inline for inline in node["c"] if inline["t"] not in _BETWEEN]
    return rest if all(inline["t"] == "Image" for inline in rest) else []


def _italic(node: Node) -> list[Node] | None:
    """Return the words of a paragraph that is all in italics."""
    if node["t"] != "Para" or len(node["c"]) != 1 or node["c"][0]["t"] != "Emph":
        return None
    inner: list[Node] = node["c"][0]["c"]
    return inner


def _figure(pictures: list[Node], words: list[Node] | None) -> Node:
    attrs, alt, target = pictures[0]["c"]
    text = alt if words is None else words
    if not plain(text).strip():
        return block("Para", pictures)
    image = block("Image", [attrs, alt or text, target])
    legend = [None, [block("Plain", text)]]
    return block("Figure", [["", [], []], legend, [block("Plain", [image])]])
