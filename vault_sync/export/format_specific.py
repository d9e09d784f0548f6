"""What only one format understands: callouts, small and turned tables, appendices, references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.export import tables
from vault_sync.export.empty_sections import REFERENCES
from vault_sync.export.raised_letters import raise_letters
from vault_sync.export.reading.callouts import CALLOUT, TITLE
from vault_sync.export.reading.linking import REFERENCE
from vault_sync.export.reading.pandoc_ast import block, classes, div, plain, raw, rewrite
from vault_sync.export.references.equations import EQUATION
from vault_sync.export.references.latex_references import LatexReferences
from vault_sync.export.references.numbering import APPENDICES
from vault_sync.export.references.pptx_references import PptxReferences
from vault_sync.export.references.reference_style import ReferenceStyle
from vault_sync.export.references.typst_references import TypstReferences
from vault_sync.export.references.word_references import WordReferences

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.reading.pandoc_ast import Node

LEAD = 200
"""Letters of a line that introduces what follows."""
LEADING = 12.0
"""Mm of a heading or a line that introduces a table."""
LONGEST_WORD = 24
"""Letters of a word that a line of prose takes whole."""

_BREAK = (
    '<w:p><w:pPr><w:sectPr><w:type w:val="nextPage"/><w:pgSz w:w="{width}" w:h="{height}"{turn}/>'
    '<w:pgMar w:top="1418" w:right="1418" w:bottom="1418" w:left="1418" w:header="709" '
    'w:footer="709" w:gutter="0"/></w:sectPr></w:pPr></w:p>'
)
UPRIGHT = _BREAK.format(width=11906, height=16838, turn="")
TURNED = _BREAK.format(width=16838, height=11906, turn=' w:orient="landscape"')


@dataclass(frozen=True)
class DocumentLayout:
    """How one format shows what pandoc has no word for."""

    table: Callable[[Node, tables.TableSize], list[Node]]
    callout: Callable[[Node], list[Node]]
    references: type[ReferenceStyle]
    appendices: tuple[Node, ...] = ()
    tasks: Callable[[Node], list[Node]] = lambda node: [node]
    lead: Callable[[Node], list[Node]] = lambda node: [node]
    """Keeps a line that introduces a table or a figure with it."""
    room: Callable[[float], list[Node]] = lambda _: []
    """Begins a new page where fewer mm are left for a table and what introduces it."""
    whole: Callable[[list[Node]], list[Node]] = lambda shown: shown
    """Keeps a short table on one page."""
    padding: float = 3.2
    """Mm that a row of a table takes besides its text."""
    place: Callable[[Node], list[Node]] = lambda node: [node]
    """Shows where an empty division with an id is, for links, without taking room."""
    letters: Callable[[Node], list[Node]] = lambda node: [node]
    """Writes words with letters that the format has."""
    soft: bool = True
    """Whether long words need places where they may be broken."""


def lay_out(blocks: list[Node], layout: DocumentLayout, style: ReferenceStyle) -> list[Node]:
    """Return BLOCKS as one format shows them; STYLE shows their numbers and references."""

    def change(row: list[Node]) -> list[Node]:
        following, room = [*row[1:], None], _rooms(row, layout)
        return [
            result
            for at, (node, after) in enumerate(zip(row, following, strict=True))
            for result in [
                *(layout.room(room[at]) if at in room else []),
                *_lay(node, after, layout, style),
            ]
        ]

    def refer(row: list[Node]) -> list[Node]:
        pieces = [piece for node in row for piece in (_referring(node, style) or [node])]
        return [letters for piece in pieces for letters in layout.letters(piece)]

    softened = tables.breakable(blocks, LONGEST_WORD) if layout.soft else blocks
    done: list[Node] = rewrite(softened, inlines=refer, blocks=change)
    return done


def _lay(
    node: Node, after: Node | None, layout: DocumentLayout, style: ReferenceStyle
) -> list[Node]:
    """Return what stands for one block, before the block AFTER."""
    kinds: dict[str, Callable[[], list[Node]]] = {
        "Table": lambda: _table(node, layout, style),
        "Figure": lambda: style.figure(node),
        "Header": lambda: [style.heading(node)],
        "Div": lambda: _division(node, layout, style),
    }
    if node["t"] in kinds:
        return kinds[node["t"]]()
    if node["t"] == "BulletList" and _is_of_tasks(node):
        return layout.tasks(node)
    if after and after["t"] in ("Table", "Figure") and _is_lead(node):
        return layout.lead(node)
    return [node]


def _rooms(row: list[Node], layout: DocumentLayout) -> dict[int, float]:
    """Return where a table begins, with the headings and the line before it: place -> mm."""
    rooms = {}
    for at, node in enumerate(row):
        if node["t"] == "Table" and not tables.fit(node).size.turned:
            start = at - 1 if at and _is_lead(row[at - 1]) else at
            while start and row[start - 1]["t"] == "Header":
                start -= 1
            rooms[start] = tables.needed(node, layout.padding) + LEADING * (at - start)
    return rooms


def _is_lead(node: Node) -> bool:
    return node["t"] == "Para" and len(plain(node)) < LEAD


def _division(node: Node, layout: DocumentLayout, style: ReferenceStyle) -> list[Node]:
    if CALLOUT in classes(node):
        return layout.callout(node)
    if APPENDICES in classes(node):
        return list(layout.appendices)
    if EQUATION in classes(node):
        return style.equation(node)
    (name, kinds, _), content = node["c"]
    return layout.place(node) if name and name != REFERENCES and not (kinds or content) else [node]


def _table(node: Node, layout: DocumentLayout, style: ReferenceStyle) -> list[Node]:
    fit = tables.fit(node)
    shown = style.table(node)
    if fit.shares:
        shown = tables.with_widths(tables.breakable(shown) if layout.soft else shown, fit.shares)
    numbered = style.around_table(node, layout.table(shown, fit.size))
    short = tables.needed(node, layout.padding) > tables.START
    return layout.whole(numbered) if short and not fit.size.turned else numbered


def _referring(node: Node, style: ReferenceStyle) -> list[Node]:
    referring = node["t"] == "Link" and REFERENCE in classes(node)
    return style.reference(node) if referring else []


def _is_of_tasks(node: Node) -> bool:
    """Whether each item of a list begins with a box."""
    return all(item and plain(item[0])[:1] in ("☐", "☒") for item in node["c"])


def _around(writer: str, before: str, node: Node, after: str) -> list[Node]:
    return [raw(writer, before), node, raw(writer, after)]


def _typst_table(node: Node, size: tables.TableSize) -> list[Node]:
    if size is tables.NORMAL:
        return [node]
    name = "turned" if size.turned else "small"
    return _around("typst", f"#{name}({size.points:g}pt)[", node, "]")


def _latex_table(node: Node, size: tables.TableSize) -> list[Node]:
    letters = f"\\fontsize{{{size.points:g}pt}}{{{size.points * 1.2:g}pt}}\\selectfont"
    letters = "\\normalsize" if size is tables.NORMAL else letters
    start = f"{letters}\\setlength{{\\tabcolsep}}{{3pt}}" if size is not tables.NORMAL else letters
    if size.turned:
        return _around("latex", f"\\begin{{landscape}}{start}", node, "\\end{landscape}")
    return _around("latex", f"\\begingroup{start}", node, "\\endgroup")


def _html_table(node: Node, size: tables.TableSize) -> list[Node]:
    return [div([node], "", "table", size.name)]


def _docx_table(node: Node, size: tables.TableSize) -> list[Node]:
    if size is not tables.NORMAL:
        style = f"Table {size.points:g}"
        attrs, legend, *cells = node["c"]
        cells = rewrite(cells, blocks=lambda row: [_styled(inner, style) for inner in row])
        node = {**node, "c": [attrs, legend, *cells]}
    if size.turned:
        return _around("openxml", UPRIGHT, node, TURNED)
    return [node]


def _styled(node: Node, style: str) -> Node:
    if node["t"] not in ("Plain", "Para"):
        return node
    return div([{**node, "t": "Para"}], custom_style=style)


def _raw_callout(writer: str, before: str, after: str) -> Callable[[Node], list[Node]]:
    def frame(node: Node) -> list[Node]:
        return [raw(writer, before), *node["c"][1], raw(writer, after)]

    return frame


def _docx_callout(node: Node) -> list[Node]:
    def style(row: list[Node]) -> list[Node]:
        return [
            div(child["c"][1], custom_style="Callout Title")
            if child["t"] == "Div" and TITLE in classes(child)
            else child
            for child in row
        ]

    return [div(style(node["c"][1]), custom_style="Callout")]


def _pptx_callout(node: Node) -> list[Node]:
    return [block("BlockQuote", [*node["c"][1]])]


LAYOUTS = {
    "typst": DocumentLayout(
        _typst_table,
        _raw_callout("typst", "#callout[", "]"),
        TypstReferences,
        (raw("typst", "#show: appendices"),),
        lambda node: _around("typst", "#tasks[", node, "]"),
        lambda node: _around("typst", "#block(sticky: true)[", node, "]"),
        whole=lambda shown: [raw("typst", "#whole["), *shown, raw("typst", "]")],
        place=lambda node: [raw("typst", f"#metadata(none) <{node['c'][0][0]}>")],
    ),
    "latex": DocumentLayout(
        _latex_table,
        _raw_callout("latex", "\\begin{callout}", "\\end{callout}"),
        LatexReferences,
        (raw("latex", "\\appendix"),),
        lead=lambda node: [node, raw("latex", "\\nopagebreak")],
        room=lambda need: [raw("latex", f"\\tableroom{{{need:.0f}mm}}")],
        padding=0.5,
        letters=raise_letters,
    ),
    "html5": DocumentLayout(_html_table, lambda node: [node], ReferenceStyle, soft=False),
    "docx": DocumentLayout(
        _docx_table,
        _docx_callout,
        WordReferences,
        lead=lambda node: [div([node], custom_style="Table Lead")],
    ),
    "pptx": DocumentLayout(lambda node, _: [node], _pptx_callout, PptxReferences, soft=False),
}
"""pandoc's writer, without its extensions -> layout."""
