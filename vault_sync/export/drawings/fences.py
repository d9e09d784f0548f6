"""Blocks of code that Obsidian shows as drawings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.drawings.mermaid import DENSITY, draw_all
from vault_sync.export.reading.linking import line_of
from vault_sync.export.reading.pandoc_ast import attributes, block, classes, find, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.drawings.pictures import Pictures
    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pages import SourcePage, SourcePages
    from vault_sync.export.reading.pandoc_ast import Node

MERMAID = "mermaid"
_CAPTION = re.compile(
    r"^[ \t]*(?:%%[ \t]*(?:title|caption|titre|légende)[ \t]*|accTitle[ \t]*):[ \t]*(\S.*?)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)


class DrawnFences:
    """Puts the drawings of Mermaid in the place of their code; warnings name note and line."""

    def __init__(
        self,
        index: LinkIndex,
        pages: SourcePages,
        pictures: Pictures,
        warn: Callable[[str], None],
    ) -> None:
        self.index = index
        self.pictures = pictures
        self.warn = warn
        self.undrawn: dict[str, list[tuple[str, int]]] = {}
        """Why a drawing is kept as code -> where those stand that are."""
        self.drawn = draw_all(
            node["c"][1]
            for page in pages.rows
            for node in find(page.blocks, "CodeBlock")
            if _is_drawing(node)
        )

    def block_rewriter(self, page: SourcePage) -> Callable[[list[Node]], list[Node]]:
        """Return the function that puts drawings into a row of PAGE's blocks."""

        def change(row: list[Node]) -> list[Node]:
            return [self._shown(page, node) if _is_drawing(node) else node for node in row]

        return change

    def tell(self) -> None:
        """Warn of the drawings that are kept as code; what one program would mend is told once."""
        for fault, places in self.undrawn.items():
            more = f" (and in {len(places) - 1} more places)" if len(places) > 1 else ""
            path, line = min(places)
            self.warn(f"{path}:{line}: Mermaid is kept as its code{more}: {fault}")

    def _shown(self, page: SourcePage, node: Node) -> Node:
        code = node["c"][1]
        drawn = self.drawn[code]
        line = line_of(self.index, page.path, code)
        if not drawn.content:
            hint = f"; install it with: {drawn.hint}" if drawn.hint else ""
            self.undrawn.setdefault(f"{drawn.fault}{hint}", []).append((page.path, line))
            return node
        picture = self.pictures.add(MERMAID, drawn.content, f"{page.path}:{line}", DENSITY)
        if picture is None:
            return node
        caption = _CAPTION.search(code)
        share = attributes(width=f"{picture.share(picture.inches)}%")
        target = [f"{self.pictures.prefix}/{picture.name}", ""]
        return block(
            "Para", [block("Image", [share, words(caption[1] if caption else ""), target])]
        )


def _is_drawing(node: Node) -> bool:
    return node["t"] == "CodeBlock" and [name.lower() for name in classes(node)[:1]] == [MERMAID]
