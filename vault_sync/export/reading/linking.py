"""Links of the document: to places in it, to the web, or plain words where neither holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from vault_sync.export.reading.obsidian import CITE, EMBED, LINK, Reference
from vault_sync.export.reading.pandoc_ast import link, span, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vault_sync.export.reading.anchors import Anchors
    from vault_sync.export.reading.link_index import Shelf
    from vault_sync.export.reading.pages import Page, Pages
    from vault_sync.export.reading.pandoc_ast import Node

_WEB = re.compile(r"(?:https?|ftp|mailto|doi|tel):", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_SCOPED = re.compile(r"#part-[0-9a-f]+-\d+\.txt__(.*)")
"""How pandoc writes a link to `#heading` when it reads several files."""


class Linker:
    """Resolves the links of the assembled document."""

    def __init__(
        self,
        shelf: Shelf,
        pages: Pages,
        anchors: Anchors,
        titles: Mapping[str, str],
        warn: Callable[[str], None],
    ) -> None:
        self.shelf = shelf
        self.pages = pages
        self.anchors = anchors
        self.titles = titles
        """Path -> what a link without words of its own calls a note."""
        self.warn = warn

    def name(self, page: Page) -> Callable[[list[Node]], list[Node]]:
        """Return what turns the Markdown links in a row of PAGE into those that `row` knows."""

        def change(row: list[Node]) -> list[Node]:
            return [self._named(page, node) if node["t"] == "Link" else node for node in row]

        return change

    def row(self, row: list[Node]) -> list[Node]:
        """Resolve the links in a row of inlines, and the embeds that could not be expanded."""
        made: list[Node] = []
        for node in row:
            target = node["c"][2][0] if node["t"] in ("Link", "Image") else ""
            known = target.startswith((f"{LINK}:", f"{EMBED}:"))
            found = self.pages.reference(target) if known else None
            made += self._resolve(*found, node["c"][1]) if found else [node]
        return made

    def _named(self, page: Page, node: Node) -> Node:
        """Give `[words](Note.md#Heading)` the place that a wikilink has; drop foreign schemes."""
        _, content, (target, _) = node["c"]
        if target.startswith((f"{LINK}:", f"{CITE}:")) or _WEB.match(target):
            return node
        if _SCHEME.match(target):
            return span(content)
        scoped = _SCOPED.fullmatch(target)
        name, place = ("", scoped[1]) if scoped else target.partition("#")[::2]
        line = line_of(self.shelf, page.path, f"#{place}" if scoped else target)
        number = self.pages.add(page, Reference(unquote(name), unquote(place), line, label=True))
        return link(content, f"{LINK}:{number}")

    def _resolve(self, home: Page, reference: Reference, content: list[Node]) -> list[Node]:
        label = content if reference.label else []
        path = self.shelf.note(reference.target, home.path)
        where = f"{home.path}:{reference.line}"
        if path is not None:
            return self._to(path, reference.place, label, where)
        if self.shelf.file(reference.target, home.path) is None:
            self.warn(f"{where}: the link leads nowhere: {reference.target!r}")
        return label or words(reference.target.rpartition("/")[2])

    def _to(self, path: str, place: str, label: list[Node], where: str) -> list[Node]:
        """Link to a note of the document; plain words where it is not in it."""
        shown = label or words(self._name(path, place))
        known = self.anchors.find(path, place)
        if known is None and path in self.pages.by_path and place:
            self.warn(f"{where}: {path} has no place called {place!r}")
            known = self.anchors.find(path, "")
        return [link(shown, f"#{known}")] if known else shown

    def _name(self, path: str, place: str) -> str:
        if place and not place.startswith("^"):
            return place.rpartition("#")[2]
        return self.titles.get(path) or path.rpartition("/")[2].removesuffix(".md")


def line_of(shelf: Shelf, path: str, target: str) -> int:
    """Return the line of a note where TARGET stands first; that of its text where it does not."""
    text, first = shelf.body(path)
    for wanted in (target, unquote(target)):
        place = text.find(wanted)
        if place >= 0:
            return first + text.count("\n", 0, place)
    return first
