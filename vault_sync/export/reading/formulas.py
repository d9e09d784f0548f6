"""Formulas that would read files or run commands in LaTeX: they are shown as code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.linking import line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pages import SourcePage
    from vault_sync.export.reading.pandoc_ast import Node

_ACTS = re.compile(
    r"\\(?:input|include|InputIfFileExists|openin|openout|read|write|immediate|special|catcode"
    r"|csname|usepackage|directlua|lstinputlisting|verbatiminput|includegraphics)(?![A-Za-z])"
    r"|\^\^"
)


def formula_rewriter(
    index: LinkIndex, warn: Callable[[str], None]
) -> Callable[[SourcePage], Callable[..., list[Node]]]:
    """Return page -> the function that turns such formulas in a row of inlines into code."""

    def of(page: SourcePage) -> Callable[[list[Node]], list[Node]]:
        def change(row: list[Node]) -> list[Node]:
            return [_checked(page, node) if node["t"] == "Math" else node for node in row]

        return change

    def _checked(page: SourcePage, node: Node) -> Node:
        match = _ACTS.search(node["c"][1])
        if match is None:
            return node
        line = line_of(index, page.path, node["c"][1])
        warn(f"{page.path}:{line}: the formula holds {match[0]} and is shown as code")
        return {"t": "Code", "c": [["", [], []], node["c"][1].strip()]}

    return of
