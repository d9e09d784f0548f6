"""How each format shows the pages before the first chapter, page breaks and parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.front_matter.pages import PAGE, PREFIX, TITLE_PAGE
from vault_sync.export.reading.pandoc_ast import attributes, block, classes, div, raw, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.reading.pandoc_ast import Node

BREAKS = {
    "typst": ("typst", "#pagebreak(weak: true)"),
    "latex": ("latex", "\\clearpage"),
    "docx": ("openxml", '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'),
    "html5": ("html", '<div class="page-break"></div>'),
}
"""Layout -> the writer and its words for a page break."""
STYLES = {
    **{name: f"Front {name.title()}" for name in ("institution", "faculty", "laboratory")},
    **{name: f"Front {name.title()}" for name in ("degree", "discipline", "author", "label")},
    **{name: f"Front {name.title()}" for name in ("person", "date", "heading", "dedication")},
    **{name: f"Front {name.title()}" for name in ("keywords", "jury", "logo")},
    "title": "Front Title",
    "subtitle": "Front Subtitle",
}
"""Line of the front matter -> its style in Word."""
WORD_TABLE = "FrontTable"
"""Id of Word's style for the table of the jury."""


def page_break(layout: str) -> Node:
    """Return the block that begins a page."""
    return raw(*BREAKS[layout])


def show(blocks: list[Node], layout: str) -> list[Node]:
    """Return the blocks of front pages as LAYOUT (`typst`, `latex`, `docx`, `html5`) shows them."""
    done: list[Node] = rewrite(blocks, blocks=lambda row: _row(row, SHOWN[layout]))
    return done


def _row(row: list[Node], change: Callable[[Node, str], list[Node]]) -> list[Node]:
    shown: list[Node] = []
    for node in row:
        name = _name(node)
        shown += change(node, name) if name else [node]
    return shown


def _name(node: Node) -> str:
    """Return what a division of the front matter is, without the prefix."""
    names = classes(node) if node["t"] == "Div" else []
    return next((name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)), "")


def _typst(node: Node, name: str) -> list[Node]:
    return [raw("typst", f"#{PREFIX}{name}["), *node["c"][1], raw("typst", "]")]


def _latex(node: Node, name: str) -> list[Node]:
    environment = f"{PREFIX}{name}".replace("-", "")
    start, end = f"\\begin{{{environment}}}", f"\\end{{{environment}}}"
    return [raw("latex", start), *node["c"][1], raw("latex", end)]


def _docx(node: Node, name: str) -> list[Node]:
    if f"{PREFIX}{name}" == TITLE_PAGE:
        return list(node["c"][1])
    if f"{PREFIX}{name}" == PAGE:
        return [page_break("docx"), *node["c"][1]]
    content = node["c"][1]
    if content and content[0]["t"] == "Table":
        (identity, names, pairs), *rest = content[0]["c"]
        named = [identity, names, [*pairs, ["custom-style", WORD_TABLE]]]
        content = [block("Table", [named, *rest])]
    return [div(content, custom_style=STYLES[name])] if content else []


def _html(node: Node, name: str) -> list[Node]:
    if name == "title":
        return [_heading(1, node)]
    return [_heading(2, node)] if name == "heading" else [node]


def _heading(level: int, node: Node) -> Node:
    attrs = attributes("", [*classes(node), "unnumbered", "unlisted"])
    return block("Header", [level, attrs, node["c"][1][0]["c"]])


SHOWN = {"typst": _typst, "latex": _latex, "docx": _docx, "html5": _html}
"""Layout -> what becomes of one division of the front matter."""


def style_id(name: str) -> str:
    """Return the id of a style of Word."""
    return re.sub(r"\s+", "", name)
