"""Formulas, which LaTeX would run as they are: those that do more than show something are code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.linking import line_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.reading.link_index import Shelf
    from vault_sync.export.reading.pages import Page
    from vault_sync.export.reading.pandoc_ast import Node

_ACTS = re.compile(
    r"\\(?:input|include|InputIfFileExists|openin|openout|read|write|immediate|special|catcode"
    r"|csname|usepackage|directlua|lstinputlisting|verbatiminput|includegraphics)(?![A-Za-z])"
    r"|\^\^"
)


def contain(
    shelf: Shelf, warn: Callable[[str], None]
) -> Callable[[Page], Callable[..., list[Node]]]:
    """Return what shows, for a note, the formulas of a row as code where they read or run."""

    def of(page: Page) -> Callable[[list[Node]], list[Node]]:
        def change(row: list[Node]) -> list[Node]:
            return [_checked(page, node) if node["t"] == "Math" else node for node in row]

        return change

    def _checked(page: Page, node: Node) -> Node:
        found = _ACTS.search(node["c"][1])
        if found is None:
            return node
        line = line_of(shelf, page.path, node["c"][1])
        warn(f"{page.path}:{line}: the formula holds {found[0]} and is shown as code")
        return {"t": "Code", "c": [["", [], []], node["c"][1].strip()]}

    return of
