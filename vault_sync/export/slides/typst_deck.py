"""Slides as a PDF, set by typst; with notes, a sheet of A4 for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vault_sync.export.appearance import layout_text
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.pandoc_ast import block, classes, raw
from vault_sync.export.slides.opening import opening_lines
from vault_sync.export.slides.overflow import told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.slides.deck import Deck, Slide

TEMPLATE = "slides.typ"


def typst_blocks(deck: Deck) -> Iterator[Node]:
    """Yield the deck as calls of the functions of the template."""
    yield from _opening(deck)
    for number, slide in enumerate(deck.slides[1:], 2):
        yield raw("typst", f"#slide({number}, part: {str(slide.bare).lower()}, name: [")
        yield block("Plain", slide.title)
        yield from _rest(slide)


def _opening(deck: Deck) -> Iterator[Node]:
    yield raw("typst", f"#opening(logo: {json.dumps(deck.logo) if deck.logo else 'none'}, name: [")
    yield block("Plain", deck.title)
    yield raw("typst", "], lines: (")
    for kind, line in opening_lines(deck.details):
        yield raw("typst", f"({json.dumps(kind)}, [")
        yield block("Plain", line)
        yield raw("typst", "]),")
    yield raw("typst", "), more: [")
    yield from _rest(deck.slides[0])


def _rest(slide: Slide) -> Iterator[Node]:
    yield raw("typst", "], notes: [")
    yield from slide.notes
    yield raw("typst", "])[")
    if slide.identity:
        yield {"t": "Div", "c": [[slide.identity, [], []], []]}
    for node in slide.blocks:
        if node["t"] == "Div" and "slide-foot" in classes(node):
            yield from (raw("typst", "#slide-foot["), *node["c"][1], raw("typst", "]"))
        else:
            yield node
    yield raw("typst", "]")


def write_typst(deck: Deck, build: Path, arguments: list[str]) -> list[str]:
    """Set `thesis.pdf` from `thesis.json` in BUILD; return warnings, of full slides among them.

    Raises:
        UnavailableError: pandoc or typst is missing, or fails.
    """
    (build / TEMPLATE).write_text(layout_text(TEMPLATE), encoding="utf-8")
    variables = ["--variable", f"total={len(deck.slides)}"]
    variables += ["--variable", "handout=yes"] if deck.handout else []
    _, warnings = pandoc.run_pandoc(
        [*arguments, "--template", TEMPLATE, *variables, "--output", "thesis.typ"], build
    )
    warnings += pandoc.compile_typst(build / "thesis.typ", build / "thesis.pdf")
    return [*warnings, *(told(deck.name(number)) for number in _full(build / "thesis.typ"))]


def _full(source: Path) -> list[int]:
    """Ask typst which slides it could not make small enough."""
    import typst  # noqa: PLC0415 - an extra, and only PDF needs it

    answer = typst.query(str(source), "<overfull>", field="value", root=str(source.parent))
    return sorted({int(number) for number in json.loads(answer)})
