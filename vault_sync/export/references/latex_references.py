r"""Numbers and references in LaTeX: its own counters, `\label` and `\ref`.

LaTeX counts as we do: chapters, figures and tables in the order of the source, formulas where they
are named. What floats can't do, in boxes, lists and notes, stays in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.labels import EQUATION, FIGURE, TABLE
from vault_sync.export.reading.pandoc_ast import block, find, raw
from vault_sync.export.references.cross_references import NUMBER
from vault_sync.export.references.numbering import PAGE
from vault_sync.export.references.reference_style import (
    LISTED,
    ReferenceStyle,
    listed,
    number_of,
    place_of,
    without,
)

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node

_KEEP = "\\setcounter{uncounted}{\\value{table}}"
_RESTORE = "\\setcounter{table}{\\value{uncounted}}"
_COUNTED = (FIGURE, TABLE, EQUATION)


class LatexReferences(ReferenceStyle):
    """Leaves numbers to LaTeX, and says what it counts within."""

    def opening(self, kinds: tuple[str, ...]) -> list[Node]:
        """Return what sets the count and the words, and the lists of KINDS."""
        lines = [self._counted(kind) for kind in _COUNTED]
        lines += [f"\\renewcommand{{\\{kind}name}}{{{self.word(kind)}}}" for kind in LISTED]
        lines += [
            f"\\renewcommand{{\\list{kind}name}}{{{self.list_title(kind)}}}\\listof{kind}s"
            for kind in kinds
            if self.numbers.of(kind)
        ]
        return [raw("latex", "\n".join(lines))]

    def heading(self, node: Node) -> Node:
        """Leave its number to LaTeX."""
        level, attrs, content = node["c"]
        return {"t": "Header", "c": [level, without(attrs), content]}

    def figure(self, node: Node) -> list[Node]:
        """Let a figure float between paragraphs; elsewhere it stays where it is."""
        attrs, legend, content = node["c"]
        if not number_of(attrs) or place_of(attrs) == PAGE:
            return [block("Figure", [without(attrs), self._with_short(attrs, legend), content])]
        words = legend[1][0]["c"] if legend[1] else []
        start = [_inline("\\figurehere{"), *self._listed(attrs), _inline("}{")]
        caption = [*start, *words, _inline(f"}}{{{attrs[0]}}}")]
        center = (raw("latex", "\\begin{center}"), raw("latex", "\\end{center}"))
        return [center[0], *content, block("Para", caption), center[1]]

    def table(self, node: Node) -> Node:
        """Leave its number to LaTeX's `longtable`."""
        attrs, legend, *rest = node["c"]
        return {**node, "c": [without(attrs), self._with_short(attrs, legend), *rest]}

    def _with_short(self, attrs: list[Any], legend: list[Any]) -> list[Any]:
        """Give a caption with links or notes a plain form for the lists, which take neither."""
        entry = self.numbers.find(attrs[0])
        fragile = entry and any(next(find(entry.caption, kind), None) for kind in ("Link", "Note"))
        return [self._listed(attrs), legend[1]] if fragile else legend

    def _listed(self, attrs: list[Any]) -> list[Node]:
        entry = self.numbers.find(attrs[0])
        return listed(entry) if entry else []

    def around_table(self, node: Node, shown: list[Node]) -> list[Node]:
        """Take back the number that older versions of `longtable` give to every table."""
        if number_of(node["c"][0]):
            return shown
        return [raw("latex", _KEEP), *shown, raw("latex", _RESTORE)]

    def equation(self, node: Node) -> list[Node]:
        r"""Write a formula with its `\label`."""
        attrs, content = node["c"]
        text = content[0]["c"][0]["c"][1]
        entry = self.numbers.find(attrs[0])
        tag = f"\\tag{{{entry.number}}}" if entry and not entry.count else ""
        lines = f"\\begin{{equation}}{tag}\\label{{{attrs[0]}}}\n{text}\n\\end{{equation}}"
        return [raw("latex", lines)]

    def reference(self, node: Node) -> list[Node]:
        r"""Write a reference with `\ref`, as a link."""
        _, content, (target, _) = node["c"]
        row: list[Node] = []
        for piece in content:
            numbered = piece["t"] == "Span" and NUMBER in piece["c"][0][1]
            row.append(_inline(f"\\ref*{{{target[1:]}}}") if numbered else piece)
        return [_inline(f"\\hyperref[{target[1:]}]{{"), *row, _inline("}")]

    def _counted(self, kind: str) -> str:
        """Say what a kind is counted within, whatever the class of the document does."""
        if self.numbers.by_chapter:
            number = f"\\ifnum\\value{{chapter}}>0 \\thechapter.\\fi\\arabic{{{kind}}}"
            return f"\\counterwithin{{{kind}}}{{chapter}}\\renewcommand{{\\the{kind}}}{{{number}}}"
        return f"\\renewcommand{{\\the{kind}}}{{\\arabic{{{kind}}}}}"


def _inline(text: str) -> Node:
    return {"t": "RawInline", "c": ["latex", text]}
