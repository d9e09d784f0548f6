"""How a format shows numbers and references; the page of HTML, where we write them ourselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.labels import FIGURE, TABLE
from vault_sync.export.reading.pandoc_ast import (
    attributes,
    block,
    div,
    plain,
    raw,
    rewrite,
    span,
    string,
    words,
)
from vault_sync.export.references.cross_references import NUMBER
from vault_sync.export.references.equations import EQUATION

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.references.numbering import Numbered, Numbers
    from vault_sync.rendering.words import Words

LISTED = (FIGURE, TABLE)
"""Kinds that a document may list after its contents."""
_OWN = frozenset(("number", "place"))
_BOUND = "\u00a0"


class ReferenceStyle:
    """What one format makes of numbered nodes; here, of HTML: text and links."""

    def __init__(self, numbers: Numbers, language: Words) -> None:
        self.numbers = numbers
        self.language = language

    def opening(self, kinds: tuple[str, ...]) -> list[Node]:
        """Return what the document begins with: what sets the count, lists of KINDS."""
        lists: list[Node] = []
        for kind in kinds:
            title = block("Para", [block("Strong", words(self.list_title(kind)))])
            items = [[block("Plain", [self._entry(entry)])] for entry in self.numbers.of(kind)]
            inner = [title, block("BulletList", items)]
            lists += (
                [raw("html", '<nav class="listed">'), *inner, raw("html", "</nav>")]
                if items
                else []
            )
        return lists

    def heading(self, node: Node) -> Node:
        """Write its number before a heading."""
        level, attrs, content = node["c"]
        number = number_of(attrs)
        mark = span([string(number)], "", "header-section-number")
        content = [mark, {"t": "Space"}, *content] if number else content
        return {"t": "Header", "c": [level, without(attrs), content]}

    def figure(self, node: Node) -> list[Node]:
        """Write word and number before the caption of a figure."""
        return [self.captioned(node, FIGURE)]

    def table(self, node: Node) -> Node:
        """Write word and number before the caption of a table."""
        return self.captioned(node, TABLE)

    def around_table(self, node: Node, shown: list[Node]) -> list[Node]:
        """Return what stands around the table NODE, which is SHOWN in whatever size."""
        del node
        return shown

    def equation(self, node: Node) -> list[Node]:
        """Write its number behind a formula."""
        attrs, content = node["c"]
        number = block("Para", [span([string(f"({number_of(attrs)})")], "", NUMBER)])
        return [div([*content, number], attrs[0], EQUATION)]

    def reference(self, node: Node) -> list[Node]:
        """Write a reference as a link."""
        _, content, target = node["c"]
        return [block("Link", [attributes(), unwrapped(content), target])]

    def captioned(self, node: Node, kind: str) -> Node:
        """Return a figure or a table with the words of `label` before its caption."""
        attrs, (short, legend), *rest = node["c"]
        number = number_of(attrs)
        if not number:
            return {**node, "c": [without(attrs), [short, legend], *rest]}
        text = legend[0]["c"] if legend else []
        label = self.label(kind, attrs, colon=bool(plain(text).strip()))
        legend = [block("Plain", [*label, *text]), *legend[1:]]
        return {**node, "c": [without(attrs), [short, legend], *rest]}

    def label(self, kind: str, attrs: list[Any], *, colon: bool) -> list[Node]:
        """Return what stands before a caption: `Figure 3.2: `."""
        end = [string(self.language.colon.rstrip()), {"t": "Space"}] if colon else []
        return [string(f"{self.word(kind)}{_BOUND}{number_of(attrs)}"), *end]

    def word(self, kind: str) -> str:
        """Return the word of captions: `Figure`, `Tableau`."""
        word = str(self.language.name("reference", kind))
        return word[:1].upper() + word[1:]

    def list_title(self, kind: str) -> str:
        """Return the title of the list of a KIND."""
        return str(self.language.name("listed", kind))

    def _entry(self, entry: Numbered) -> Node:
        colon = [string(self.language.colon.rstrip()), {"t": "Space"}] if entry.caption else []
        label = string(f"{self.word(entry.kind)}{_BOUND}{entry.number}")
        content = [label, *colon, *listed(entry)]
        return block("Link", [attributes(), content, [f"#{entry.identity}", ""]])


def number_of(attrs: list[Any]) -> str:
    """Return the number of a node with these attributes; empty where it has none."""
    return str(dict(attrs[2]).get("number", ""))


def place_of(attrs: list[Any]) -> str:
    """Return where a node with these attributes stands: one of the places of `numbering`."""
    return str(dict(attrs[2]).get("place", ""))


def without(attrs: list[Any]) -> list[Any]:
    """Return attributes without those that only we read."""
    return [attrs[0], attrs[1], [pair for pair in attrs[2] if pair[0] not in _OWN]]


def unwrapped(content: list[Node]) -> list[Node]:
    """Return the content of a reference as plain words."""
    return [
        piece
        for node in content
        for piece in (node["c"][1] if node["t"] == "Span" and NUMBER in node["c"][0][1] else [node])
    ]


def listed(entry: Numbered) -> list[Node]:
    """Return a caption as a list shows it: without notes and links."""

    def change(row: list[Node]) -> list[Node]:
        shown: list[Node] = []
        for node in row:
            if node["t"] in ("Link", "Span"):
                shown += node["c"][1]
            elif node["t"] != "Note":
                shown.append(node)
        return shown

    done: list[Node] = rewrite(list(entry.caption), inlines=change)
    return done
