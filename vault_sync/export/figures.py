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
    made: list[Node] = []
    for node in row:
        words = _italic(node)
        if words is not None and made and _awaits(made[-1]):
            made[-1] = _figure(made[-1]["pictures"], words)
            continue
        pictures = _pictures(node)
        if pictures:
            made += [{"t": "", "pictures": [one]} for one in pictures]
        else:
            made.append(node)
    return [_figure(one["pictures"], None) if _awaits(one) else one for one in made]


def _awaits(node: Node) -> bool:
    return "pictures" in node


def _pictures(node: Node) -> list[Node]:
    """Return the pictures of a paragraph that holds nothing else."""
    if node["t"] not in ("Para", "Plain"):
        return []
    rest = [one for one in node["c"] if one["t"] not in _BETWEEN]
    return rest if all(one["t"] == "Image" for one in rest) else []


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
