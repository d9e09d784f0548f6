"""Numbers and references in PowerPoint, which has no fields for them: text, as in HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.export.reading.labels import FIGURE
from vault_sync.export.reading.pandoc_ast import block, find, rewrite
from vault_sync.export.references.reference_style import ReferenceStyle, number_of

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node


class PptxReferences(ReferenceStyle):
    """What pandoc's writer of PowerPoint shows of numbered nodes."""

    def figure(self, node: Node) -> list[Node]:
        """Write the caption into the picture: pandoc shows that, and not the figure's own."""
        shown = self.captioned(node, FIGURE)
        legend = [piece for row in shown["c"][1][1] for piece in row["c"]]

        def change(row: list[Node]) -> list[Node]:
            return [_with_words(one, legend) if one["t"] == "Image" else one for one in row]

        done: list[Node] = rewrite([shown], inlines=change) if legend else [shown]
        return done

    def equation(self, node: Node) -> list[Node]:
        """Write its number into a formula: beside one PowerPoint shows nothing."""
        attrs, content = node["c"]
        formula = next(find(content, "Math"), None)
        number = number_of(attrs)
        if formula is None or not number:
            return [node]
        kind, tex = formula["c"]
        return [block("Para", [block("Math", [kind, f"{tex} \\qquad ({number})"])])]


def _with_words(image: Node, words: list[Node]) -> Node:
    attrs, _, target = image["c"]
    return {**image, "c": [attrs, words, target]}
