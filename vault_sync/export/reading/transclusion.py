"""Each note's tree as a part of the document: headings at their level, embeds in their places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.headings import heading_key, headings_of, locate
from vault_sync.export.reading.marks import PLACE, is_mark, italics, pairs_of, pictures
from vault_sync.export.reading.obsidian import EMBED
from vault_sync.export.reading.pandoc_ast import (
    block,
    div,
    find,
    header,
    plain,
    rewrite,
    span,
    string,
)
from vault_sync.export.reading.titles import title_of_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.reading.anchors import Anchors
    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.obsidian import ObsidianLink
    from vault_sync.export.reading.pages import SourcePage, SourcePages
    from vault_sync.export.reading.pandoc_ast import Node

DEEPEST = 6
"""Level of the lowest heading that every format knows."""
MOST = 2000
"""Embeds in one document; notes that embed each other twice would double without end."""

Trail = tuple[tuple[str, str], ...]
"""Notes and places that are being embedded, outermost first."""


class Embedder:
    """Expands notes; the warnings it gives name note and line."""

    def __init__(
        self, index: LinkIndex, pages: SourcePages, anchors: Anchors, warn: Callable[[str], None]
    ) -> None:
        self.index = index
        self.pages = pages
        self.anchors = anchors
        self.warn = warn
        self.count = 0
        self.copied = False
        """Whether the note that is being expanded is shown within another."""

    def title(self, page: SourcePage) -> tuple[list[Node], list[Node]]:
        """Return the title of a note, and its blocks without it."""
        first = page.blocks[0] if page.blocks else None
        if first and first["t"] == "Header" and first["c"][0] == 1:
            return first["c"][2], page.blocks[1:]
        name = page.path.rpartition("/")[2].removesuffix(".md")
        own_title = self.index.property(page.path, "title")
        return [string(own_title or title_of_note(name))], page.blocks

    def expand(self, page: SourcePage, blocks: list[Node], base: int, trail: Trail) -> list[Node]:
        """Return BLOCKS of a note with their highest heading at level BASE, embeds expanded."""
        outer, self.copied = self.copied, len(trail) > 1
        levels = [node["c"][0] for node in blocks if node["t"] == "Header"]
        shift = base - min(levels, default=base)
        current = base - 1
        expanded: list[Node] = []
        for node in blocks:
            if node["t"] == "Header":
                current = min(node["c"][0] + shift, DEEPEST)
                text = plain(node["c"][2])
                name = self.anchors.mark(page.path, text, text, copied=self.copied)
                kinds = flags(node["c"][2])
                expanded.append(header(current, self.marked(page, node["c"][2]), name, *kinds))
            else:
                expanded += self._inside(page, node, current, trail)
        done = self._placed(page, expanded)
        self.copied = outer
        return done

    def _inside(self, page: SourcePage, node: Node, current: int, trail: Trail) -> list[Node]:
        """Expand the embeds in one block; those in lists and quotes have no headings."""
        kind: str = node["t"]
        content: Any = node.get("c")
        if kind in ("Para", "Plain"):
            return self._paragraph(node, current, trail)
        if kind == "BlockQuote":
            return [block(kind, self._nested(page, content, current, trail))]
        if kind == "Div":
            return [block(kind, [content[0], self._nested(page, content[1], current, trail)])]
        if kind == "BulletList":
            return [block(kind, [self._nested(page, item, current, trail) for item in content])]
        if kind == "OrderedList":
            items = [self._nested(page, item, current, trail) for item in content[1]]
            return [block(kind, [content[0], items])]
        return [node]

    def _nested(self, page: SourcePage, row: list[Node], current: int, trail: Trail) -> list[Node]:
        nodes = [inner for node in row for inner in self._inside(page, node, current, trail)]
        return self._placed(page, [_as_paragraph(node) for node in nodes])

    def _paragraph(self, node: Node, current: int, trail: Trail) -> list[Node]:
        """Split a paragraph where it embeds a note."""
        if not any(inline["t"] == "Image" for inline in node["c"]):
            return [node]
        blocks: list[Node] = []
        row: list[Node] = []
        for inline in node["c"]:
            embedded = self._embedded(inline, current, trail) if inline["t"] == "Image" else None
            if embedded is None:
                row.append(inline)
                continue
            blocks += [*_rest(node["t"], row), *embedded]
            row = []
        return [*blocks, *_rest(node["t"], row)]

    def _embedded(self, image: Node, current: int, trail: Trail) -> list[Node] | None:
        """Return what an embed of a note shows; None where it embeds none or can't be."""
        embed = self.pages.reference(image["c"][2][0])
        if embed is None or not image["c"][2][0].startswith(f"{EMBED}:"):
            return None
        home, reference = embed
        path = self.index.note(reference.target, home.path)
        if path is None or path not in self.pages.by_path:
            return None
        where = f"{home.path}:{reference.line}"
        here = (path, heading_key(reference.place))
        if here in trail or self.count >= MOST:
            why = "embeds itself" if here in trail else "is one embed too many"
            self.warn(f"{where}: {path} {why}: it is left out there")
            return []
        self.count += 1
        target = self.pages.by_path[path]
        blocks = self._section(target, reference)
        if blocks is None:
            self.warn(f"{where}: {path} has no {reference.place!r} to embed")
            return []
        return self.expand(target, blocks, current + 1, (*trail, here))

    def _section(self, page: SourcePage, reference: ObsidianLink) -> list[Node] | None:
        """Return the part of a note that an embed names: all but the title, a heading, a block."""
        if not reference.place:
            return self.title(page)[1]
        if reference.place.startswith("^"):
            return _block_of(page.blocks, reference.place[1:])
        found = locate(headings_of(page.blocks), reference.place)
        places = [place for place, node in enumerate(page.blocks) if node["t"] == "Header"]
        start = places[found[0]] if found else None
        return None if start is None else page.blocks[start : _end(page.blocks, start)]

    def _placed(self, page: SourcePage, row: list[Node]) -> list[Node]:
        """Give ids to the marks of names."""
        nodes: list[Node] = []
        for node in row:
            if is_mark(node) and not node["c"][0][0]:
                nodes.append(div([], self._mark(page, node), PLACE))
            else:
                nodes.append(rewrite(node, inlines=lambda line: self.marked(page, line)))
        return nodes

    def marked(self, page: SourcePage, line: list[Node]) -> list[Node]:
        """Give ids to the marks in a row of inlines; one without a name has done its work."""
        return [
            span([], self._mark(page, node), PLACE)
            if is_mark(node) and not node["c"][0][0]
            else node
            for node in line
            if not is_mark(node) or node["c"][0][0] or pairs_of(node)["name"]
        ]

    def _mark(self, page: SourcePage, node: Node) -> str:
        pairs = pairs_of(node)
        label = "label" in pairs
        return self.anchors.name(page.path, pairs["name"], label=label, copied=self.copied)


def flags(line: list[Node]) -> list[str]:
    """Return the classes that a heading has by the braces behind it, before it is `marked`."""
    found = any("unnumbered" in pairs_of(node) for node in line if is_mark(node))
    return ["unnumbered"] if found else []


def _rest(kind: str, row: list[Node]) -> list[Node]:
    while row and row[0]["t"] in ("Space", "SoftBreak", "LineBreak"):
        row = row[1:]
    while row and row[-1]["t"] in ("Space", "SoftBreak", "LineBreak"):
        row = row[:-1]
    return [block(kind, row)] if row else []


def _as_paragraph(node: Node) -> Node:
    if node["t"] != "Header":
        return node
    return block("Para", [span([block("Strong", node["c"][2])], node["c"][1][0])])


def _end(blocks: list[Node], place: int) -> int:
    """Return where the section that begins at PLACE ends."""
    level = blocks[place]["c"][0]
    for later in range(place + 1, len(blocks)):
        if blocks[later]["t"] == "Header" and blocks[later]["c"][0] <= level:
            return later
    return len(blocks)


def _block_of(blocks: list[Node], name: str) -> list[Node] | None:
    """Return the block that carries a block id: a paragraph, a list item, or what stands before."""
    for place, node in enumerate(blocks):
        if node["t"] == "Div" and is_mark(node) and _named(node, name):
            return _captioned(blocks, place)
        marks = [mark for mark in find(node, "Span") if is_mark(mark) and _named(mark, name)]
        if marks and _is_caption(blocks, place) and place and pictures(_line(blocks[place - 1])):
            return blocks[place - 1 : place + 1]
        if marks:
            return _item(node, marks[0])
    return None


def _captioned(blocks: list[Node], mark: int) -> list[Node]:
    """Return the block before a mark with its caption: a line in italics beside it."""
    first, last = max(0, mark - 1), mark + 1
    if first and _is_caption(blocks, first - 1) and blocks[first]["t"] == "Table":
        first -= 1
    if first and _is_caption(blocks, first) and pictures(_line(blocks[first - 1])):
        first -= 1
    if pictures(_line(blocks[first])) and last - first == 2 and _is_caption(blocks, last):
        last += 1
    return blocks[first:last]


def _is_caption(blocks: list[Node], place: int) -> bool:
    return place < len(blocks) and italics(_line(blocks[place])) is not None


def _line(node: Node) -> list[Node]:
    return node["c"] if node["t"] in ("Para", "Plain") else []


def _item(node: Node, mark: Node) -> list[Node]:
    """Return the item of a list that holds MARK, else the whole block."""
    listed = {"BulletList": lambda: node["c"], "OrderedList": lambda: node["c"][1]}
    for item in listed.get(node["t"], list)():
        if any(child is mark for child in find(item, "Span")):
            return [block("Para", child["c"]) if child["t"] == "Plain" else child for child in item]
    return [node]


def _named(node: Node, name: str) -> bool:
    pairs = pairs_of(node)
    return "label" not in pairs and pairs["name"].lower() == name.lower()
