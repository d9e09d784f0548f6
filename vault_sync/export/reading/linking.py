"""Links of the document: to places in it, to the web, or plain words where neither holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from vault_sync.export.reading.headings import heading_key, headings_of, locate
from vault_sync.export.reading.labels import kind_of
from vault_sync.export.reading.obsidian import CITE, EMBED, LINK, ObsidianLink
from vault_sync.export.reading.pandoc_ast import attributes, block, link, plain, span, words
from vault_sync.export.reading.reference_tokens import REFER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vault_sync.export.reading.anchors import Anchors
    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pages import SourcePage, SourcePages
    from vault_sync.export.reading.pandoc_ast import Node

REFERENCE = "thesis-reference"
"""Class of a link without words of its own: the number of what it leads to is put there."""
_WEB = re.compile(r"(?:https?|ftp|mailto|doi|tel):", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_SIMPLE = frozenset(("Str", "Space", "SoftBreak", "Code", "Math"))
"""What the words of a link to a heading may be made of."""
_SCOPED = re.compile(r"#part-[0-9a-f]+-\d+\.txt__(.*)")
"""How pandoc writes a link to `#heading` when it reads several files."""


class Linker:
    """Resolves the links of the assembled document."""

    def __init__(
        self,
        index: LinkIndex,
        pages: SourcePages,
        anchors: Anchors,
        titles: Mapping[str, str],
        warn: Callable[[str], None],
    ) -> None:
        self.index = index
        self.pages = pages
        self.anchors = anchors
        self.titles = titles
        """Path -> what a link without words of its own calls a note."""
        self.warn = warn
        self.shown: SourcePages | None = None
        """The notes as the document shows them, with formulas that every program reads."""

    def link_rewriter(self, page: SourcePage) -> Callable[[list[Node]], list[Node]]:
        """Return the function that turns PAGE's Markdown links into those of `resolve_links`."""

        def change(row: list[Node]) -> list[Node]:
            return [self._named(page, node) if node["t"] == "Link" else node for node in row]

        return change

    def resolve_links(self, row: list[Node]) -> list[Node]:
        """Resolve the links in a row of inlines, and the embeds that could not be expanded."""
        inlines: list[Node] = []
        for node in row:
            target = node["c"][2][0] if node["t"] in ("Link", "Image") else ""
            known = target.startswith((f"{LINK}:", f"{EMBED}:"))
            resolved = self.pages.reference(target) if known else None
            inlines += self._resolve(*resolved, node["c"][1]) if resolved else [node]
        return inlines

    def _named(self, page: SourcePage, node: Node) -> Node:
        """Give `[words](Note.md#Heading)` the place that a wikilink has; drop foreign schemes."""
        _, content, (target, _) = node["c"]
        if target.startswith((f"{LINK}:", f"{CITE}:", f"{REFER}:")) or _WEB.match(target):
            return node
        if _SCHEME.match(target):
            return span(content)
        scoped = _SCOPED.fullmatch(target)
        name, place = ("", scoped[1]) if scoped else target.partition("#")[::2]
        line = line_of(self.index, page.path, f"#{place}" if scoped else target)
        number = self.pages.add(page, ObsidianLink(unquote(name), unquote(place), line, label=True))
        return link(content, f"{LINK}:{number}")

    def _resolve(
        self, home: SourcePage, reference: ObsidianLink, content: list[Node]
    ) -> list[Node]:
        label = content if reference.label else []
        path = self.index.note(reference.target, home.path)
        where = f"{home.path}:{reference.line}"
        if path is not None:
            return self._to(path, reference.place, label, where)
        if self.index.file(reference.target, home.path) is None:
            name = reference.target.rpartition("/")[2]
            self.warn(
                f"{where}: no work {name[1:]!r} is in the bibliography"
                if name.startswith("@")
                else f"{where}: the link leads nowhere: {reference.target!r}"
            )
        return label or words(reference.target.rpartition("/")[2])

    def _to(self, path: str, place: str, label: list[Node], where: str) -> list[Node]:
        """Link to a note of the document; plain words where it is not in it."""
        known, shown = self._heading(path, place, where)
        content = label or shown or words(self._name(path, place))
        known = known or self.anchors.find(path, place)
        if known is None and path in self.pages.by_path and place:
            self.warn(f"{where}: {path} has no place called {place!r}")
            missing = "" if label else kind_of(place.removeprefix("^"))
            if place.startswith("^") and missing:
                return [_reference(content, "", place)]
            known = self.anchors.find(path, "")
        elif known and place and not label:
            return [_reference(content, known)]
        return [link(content, f"#{known}")] if known else content

    def _heading(self, path: str, place: str, where: str) -> tuple[str | None, list[Node]]:
        """Return the id of the heading that a link names, and its words."""
        page = self.pages.by_path.get(path)
        if page is None or not place or place.startswith("^"):
            return None, []
        headings = headings_of(page.blocks)
        found = locate(headings, place)
        if not found:
            return None, []
        if len(found) > 1:
            meant = ", ".join(repr(headings[one][1]) for one in found)
            self.warn(f"{where}: {place!r} may be {meant} of {path}: the first is meant")
        level, text = headings[found[0]]
        if found[0] == 0 and level == 1 and page.blocks[0]["t"] == "Header":
            return self.anchors.find(path, ""), []
        key = heading_key(text)
        number = sum(heading_key(earlier) == key for _, earlier in headings[: found[0]])
        return self.anchors.nth(path, key, number), self._words_of(path, found[0])

    def _words_of(self, path: str, number: int) -> list[Node]:
        """Return what a heading says, without links and notes at the foot."""
        blocks = (self.shown or self.pages).by_path[path].blocks
        row: list[Node] = [node for node in blocks if node["t"] == "Header"][number]["c"][2]
        is_simple = all(node["t"] in _SIMPLE for node in row)
        return row if is_simple else words(plain(row))

    def _name(self, path: str, place: str) -> str:
        if place and not place.startswith("^"):
            return place.rpartition("#")[2]
        return self.titles.get(path) or path.rpartition("/")[2].removesuffix(".md")


def _reference(content: list[Node], identity: str, missing: str = "") -> Node:
    pairs = {"missing": missing} if missing else {}
    return block("Link", [attributes("", (REFERENCE,), **pairs), content, [f"#{identity}", ""]])


def line_of(index: LinkIndex, path: str, target: str) -> int:
    """Return the line of a note where TARGET stands first; that of its text where it does not.

    A TARGET of several lines, whose indent may be gone, is found by its longest one.
    """
    text, first = index.body(path)
    lines = sorted((line.strip() for line in target.splitlines()), key=len, reverse=True)
    for wanted in (target, unquote(target), *lines[:1]):
        place = text.find(wanted) if wanted else -1
        if place >= 0:
            shift = target.strip().partition(wanted)[0].count("\n") if wanted in lines else 0
            return max(first, first + text.count("\n", 0, place) - shift)
    return first
