"""Slides for PowerPoint, through pandoc and the layouts of a reference document.

pandoc shows one picture or table on a slide, and beside it what is read; what a slide has more of
follows on slides of the same title.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.export.empty_sections import REFERENCES
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.pandoc_ast import block, div, find, header
from vault_sync.export.slides.opening import opening_lines
from vault_sync.export.slides.overflow import PPTX, overfull
from vault_sync.export.slides.pptx_letters import shrink_letters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.slides.deck import Deck, Slide

PART, SLIDE = 1, 2
"""Levels of headings: of slides that open a part, and of the others."""


def pptx_blocks(deck: Deck) -> Iterator[Node]:
    """Yield the slides after the first, which pandoc makes of the metadata."""
    for slide in deck.slides[1:]:
        texts, graphics = _sorted(slide.blocks)
        rows = [[*texts, *graphics]] if len(graphics) < 2 and not texts else []
        if not rows and graphics and texts:
            rows = [[_columns(texts, graphics[:1])], *([one] for one in graphics[1:])]
        rows = rows or ([texts] if texts else [[one] for one in graphics])
        for place, row in enumerate(rows or [[]]):
            yield from _head(slide)
            yield from row
            if slide.notes and not place:
                yield div(slide.notes, "", "notes")


def _head(slide: Slide) -> Iterator[Node]:
    if not slide.title:
        yield {"t": "HorizontalRule"}
    else:
        yield header(PART if slide.bare else SLIDE, slide.title, slide.identity)


def _sorted(blocks: list[Node]) -> tuple[list[Node], list[Node]]:
    """Part what is read from what is looked at; pandoc shows one of the latter on a slide."""
    texts, graphics = [], []
    for node in blocks:
        inner = node["c"][1] if node["t"] == "Div" else []
        if node["t"] in ("Table", "Figure") or any(find(node, "Image")):
            graphics.append(node)
        elif any(one["t"] in ("Table", "Figure") for one in inner):
            graphics += inner
        elif node["t"] == "Header":
            texts.append(block("Para", [block("Strong", node["c"][2])]))
        else:
            texts.append(node)
    return [node for node in texts if not _place_only(node)], graphics


def _place_only(node: Node) -> bool:
    """Whether a block only says where links lead; pandoc would make a paragraph of it."""
    return node["t"] == "Div" and not node["c"][1] and node["c"][0][0] != REFERENCES


def _columns(left: list[Node], right: list[Node]) -> Node:
    return div([div(left, "", "column"), div(right, "", "column")], "", "columns")


def opening_meta(deck: Deck) -> dict[str, Node]:
    """Return the metadata of which pandoc makes the first slide, and its notes."""
    lines = list(opening_lines(deck.details))
    rows = [line for kind, line in lines if kind not in ("author", "date")]
    rows += [node["c"] for node in deck.slides[0].blocks if node["t"] in ("Para", "Plain")]
    subtitle = [piece for row in rows for piece in ({"t": "LineBreak"}, *row)][1:]
    meta = {"title": {"t": "MetaInlines", "c": deck.title}}
    if subtitle:
        meta["subtitle"] = {"t": "MetaInlines", "c": subtitle}
    for kind, line in lines:
        if kind in ("author", "date"):
            inlines: Node = {"t": "MetaInlines", "c": line}
            meta[kind] = {"t": "MetaList", "c": [inlines]} if kind == "author" else inlines
    if deck.slides[0].notes:
        meta["notes"] = {"t": "MetaBlocks", "c": deck.slides[0].notes}
    return meta


def write_pptx(deck: Deck, build: Path, arguments: list[str]) -> list[str]:
    """Write `thesis.pptx` from `thesis.json` in BUILD; return warnings, of full slides among them.

    Raises:
        UnavailableError: pandoc is missing or fails.
    """
    output = build / "thesis.pptx"
    _, warnings = pandoc.run_pandoc(
        [*arguments, f"--slide-level={SLIDE}", "--output", output.name], build
    )
    shrink_letters(output)
    return [*warnings, *overfull(deck, PPTX)]
