"""Numbers and references in typst: each figure, table and formula is handed its number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.export.reading.labels import FIGURE, TABLE
from vault_sync.export.reading.pandoc_ast import block, plain, raw, rewrite
from vault_sync.export.references.reference_style import ReferenceStyle, number_of, without

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node

_KINDS = {FIGURE: "image", TABLE: "table"}


class TypstReferences(ReferenceStyle):
    """Calls the functions `numbered`, `equation` and `listed` of our template."""

    def opening(self, kinds: tuple[str, ...]) -> list[Node]:
        """Return the lists of KINDS."""
        return [
            raw("typst", f"#listed({_text(self.list_title(kind))}, {_KINDS[kind]})")
            for kind in kinds
            if self.numbers.of(kind)
        ]

    def heading(self, node: Node) -> Node:
        """Leave its number to typst, which counts headings as we do."""
        level, attrs, content = node["c"]
        return {"t": "Header", "c": [level, without(attrs), content]}

    def figure(self, node: Node) -> list[Node]:
        """Hand its number to a figure."""
        return self._numbered(node, FIGURE)

    def table(self, node: Node) -> Node:
        """Return a table as it is: `around_table` hands it its number."""
        return _bare(node)

    def around_table(self, node: Node, shown: list[Node]) -> list[Node]:
        """Hand its number to a table that is SHOWN in whatever size."""
        start = self._start(node, TABLE)
        return [raw("typst", start), *shown, raw("typst", "]")] if start else shown

    def equation(self, node: Node) -> list[Node]:
        """Hand its number to a formula, and name it."""
        attrs, content = node["c"]
        start = f"#equation({_text(f'({number_of(attrs)})')})["
        row = [_inline(start), *content[0]["c"], _inline(f" <{attrs[0]}>]")]
        return [block("Para", row)]

    def _numbered(self, node: Node, kind: str) -> list[Node]:
        start = self._start(node, kind)
        return [raw("typst", start), _bare(node), raw("typst", "]")] if start else [_bare(node)]

    def _start(self, node: Node, kind: str) -> str:
        attrs, legend = node["c"][0], node["c"][1]
        number = number_of(attrs)
        colon = self.language.colon if plain(legend[1]).strip() else ""
        values = ", ".join(map(_text, (self.word(kind), number, colon)))
        return f"#numbered({values})[" if number else ""


def _bare(node: Node) -> Node:
    """Return a figure or a table without our attributes, the notes of its caption as `noted`."""
    attrs, (short, legend), *rest = node["c"]
    legend = rewrite(legend, inlines=lambda row: [one for inline in row for one in _noted(inline)])
    return {**node, "c": [without(attrs), [short, legend], *rest]}


def _noted(node: Node) -> list[Node]:
    if node["t"] != "Note":
        return [node]
    rows = [part["c"] for part in node["c"] if part["t"] in ("Para", "Plain")]
    words = [piece for row in rows for piece in ({"t": "Space"}, *row)]
    return [_inline("#noted["), *words[1:], _inline("]")]


def _inline(text: str) -> Node:
    return {"t": "RawInline", "c": ["typst", text]}


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
