"""The front matter as templates get it: macros of LaTeX, a dictionary of Typst."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.export.front_matter.details import SINGLE
from vault_sync.export.front_matter.pages import page_blocks
from vault_sync.export.reading.pandoc_ast import block, raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vault_sync.export.front_matter.details import DocumentDetails, Inlines
    from vault_sync.export.front_matter.pages import FrontPage
    from vault_sync.export.reading.pandoc_ast import Node

PEOPLE = ("name", "affiliation", "role")
"""Columns of a table of people."""


def macro_name(name: str) -> str:
    r"""Return the macro that holds a value: `mots_cles` is `\\ThesisMotsCles`."""
    return "\\Thesis" + "".join(part.capitalize() for part in name.split("_"))


def latex_macros(details: DocumentDetails, pages: Iterable[FrontPage], logo: str) -> list[Node]:
    """Return blocks for the preamble that define a macro for each value and page; empty or not."""
    blocks = [_inline(macro_name(name), details[name]) for name in SINGLE if name != "logo"]
    blocks.append(raw("latex", f"\\newcommand{{{macro_name('logo')}}}{{{logo}}}"))
    for name, people in details.people.items():
        blocks.append(_inline(macro_name(name), _rows(people)))
    texts = {page.role: page.body for page in pages}
    for role in ("abstract", "resume", "acknowledgements", "dedication"):
        body = texts.get(role, [])
        start = raw("latex", f"\\newcommand{{{macro_name(role)}}}{{%")
        blocks += [start, *body, raw("latex", "}")]
    return blocks


def typst_data(details: DocumentDetails, pages: Sequence[FrontPage], logo: str) -> dict[str, Node]:
    """Return the metadata from which the template of typst makes the dictionary `data`."""
    values = {name: _inlines(details[name]) for name in SINGLE if details[name]}
    if logo:
        values["logo"] = {"t": "MetaString", "c": logo}
    for name, people in details.people.items():
        rows = [_map({key: _inlines(one[key]) for key in PEOPLE if one[key]}) for one in people]
        values[name] = {"t": "MetaList", "c": rows}
    made = [
        _map(
            {
                "role": {"t": "MetaString", "c": page.role},
                "language": {"t": "MetaString", "c": page.language},
                "title": _inlines(page.title),
                "body": {"t": "MetaBlocks", "c": page.body},
                "keywords": _inlines(page.keywords),
            }
        )
        for page in pages
    ]
    return {**values, "pages": {"t": "MetaList", "c": made}}


def shown_pages(pages: Iterable[FrontPage], language: str) -> list[Node]:
    """Return the blocks of all pages after the title page."""
    return [node for page in pages for node in page_blocks(page, language)]


def _inlines(content: Inlines) -> Node:
    return {"t": "MetaInlines", "c": content}


def _map(values: Mapping[str, Node]) -> Node:
    return {"t": "MetaMap", "c": dict(values)}


def _inline(macro: str, content: Inlines) -> Node:
    start = {"t": "RawInline", "c": ["latex", f"\\newcommand{{{macro}}}{{"]}
    end = {"t": "RawInline", "c": ["latex", "}"]}
    return block("Plain", [start, *content, end])


def _rows(people: Iterable[Mapping[str, Inlines]]) -> Inlines:
    """Write people as rows of a table of LaTeX: name, affiliation, role."""
    row: Inlines = []
    for person in people:
        for place, key in enumerate(PEOPLE):
            row += [{"t": "RawInline", "c": ["latex", " & "]}] if place else []
            row += person[key]
        row.append({"t": "RawInline", "c": ["latex", " \\\\ "]})
    return row
