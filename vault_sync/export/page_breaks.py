"""Page breaks as notes write them, and the titles of parts, in each format's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from experiments.wording import catalogue
from vault_sync.export.front_matter.look import page_break
from vault_sync.export.reading.html_in_notes import PAGE_BREAK
from vault_sync.export.reading.pandoc_ast import block, classes, header, plain, raw, span
from vault_sync.export.reading.pandoc_ast import words as inlines_of

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.selecting.outline import DocumentEntry

PART = "part"
"""Class of the heading that stands for a part of the document."""
_COMMAND = re.compile(r"\\(?:newpage|pagebreak|clearpage|cleardoublepage)\s*(?:\{\})?")


def part_heading(entry: DocumentEntry, identity: str) -> Node:
    """Make the heading of a part: no chapter is counted, its number is its own."""
    content = [span(inlines_of(entry.number), "", PART), *inlines_of(entry.title)]
    return header(1, content, identity, PART, "unnumbered")


def break_pages(blocks: list[Node], layout: str) -> list[Node]:
    r"""Turn page breaks (`\newpage` alone in a line, an empty division that says so) into LAYOUT's.

    Those within a list, a quotation or a callout break no page.
    """
    made: list[Node] = []
    for node in blocks:
        if _is_break(node):
            made.append(page_break(layout))
        elif node["t"] == "Div" and not classes(node):
            made.append(block("Div", [node["c"][0], break_pages(node["c"][1], layout)]))
        else:
            made.append(node)
    return made


def name_parts(blocks: list[Node], layout: str, language: str) -> list[Node]:
    """Write the titles of parts as LAYOUT has them: `Part I. Title`, in LaTeX its own part."""
    made: list[Node] = []
    for node in blocks:
        is_part = node["t"] == "Header" and PART in node["c"][1][1]
        made += _part(node, layout, language) if is_part else [node]
    return made


def _part(node: Node, layout: str, language: str) -> list[Node]:
    level, attrs, (number, *title) = node["c"]
    if layout == "latex":
        target = f"\\hypertarget{{{attrs[0]}}}{{}}\\label{{{attrs[0]}}}"
        start = {"t": "RawInline", "c": ["latex", "\\part{"]}
        end = {"t": "RawInline", "c": ["latex", f"}}{target}"]}
        return [block("Plain", [start, *title, end])]
    label = catalogue.fill("front.part", language, {"number": plain(number["c"][1])})
    whole = {"t": "Header", "c": [level, attrs, [*inlines_of(label), {"t": "Space"}, *title]]}
    if layout == "typst":
        return [raw("typst", "#part-title["), whole, raw("typst", "]")]
    return [whole]


def _is_break(node: Node) -> bool:
    if node["t"] == "Div":
        return PAGE_BREAK in classes(node)
    if node["t"] != "Para" or any(inline["t"] not in ("Str", "Space") for inline in node["c"]):
        return False
    return _COMMAND.fullmatch(plain(node["c"]).strip()) is not None
