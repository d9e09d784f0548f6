"""Slides as one HTML page that needs nothing besides a browser."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from vault_sync.export.appearance import layout_text
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.pandoc_ast import block, div, header, plain, raw
from vault_sync.export.slides.opening import opening_lines
from vault_sync.export.slides.overflow import HTML, overfull
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.slides.deck import Deck, Slide

TEMPLATE = "slides.html"
LABELS = ("speaker", "next", "no-notes", "help", "end")
"""Phrases of the page, by their keys in the group `slides`."""


def html_blocks(deck: Deck) -> Iterator[Node]:
    """Yield the deck as sections; notes for the speaker follow the slide that they belong to."""
    total = len(deck.slides)
    for number, slide in enumerate(deck.slides, 1):
        kinds = "slide opening" if number == 1 else "slide part" if slide.bare else "slide"
        title = deck.title if number == 1 else slide.title
        label = escape(plain(title).strip(), quote=True)
        yield raw("html", f'<section class="{kinds}" id="slide-{number}" aria-label="{label}">')
        yield from _title(deck, number, slide)
        yield raw("html", '<div class="body"><div class="fit">')
        yield from slide.blocks
        yield raw("html", "</div></div>")
        foot = f"<span>{escape(plain(deck.title).strip())}</span><span>{number} / {total}</span>"
        yield raw("html", f'<div class="foot">{foot}</div></section>')
        yield raw("html", f'<aside class="notes" data-slide="{number}">')
        yield from slide.notes
        yield raw("html", "</aside>")


def _title(deck: Deck, number: int, slide: Slide) -> Iterator[Node]:
    if number > 1:
        if slide.title:
            yield header(2, slide.title, slide.identity)
        return
    if deck.logo:
        yield raw("html", f'<img class="logo" src="{escape(deck.logo)}" alt="">')
    yield header(1, deck.title)
    for kind, line in opening_lines(deck.details):
        yield div([block("Para", line)], "", f"opening-{kind}")


def write_html(deck: Deck, build: Path, arguments: list[str]) -> list[str]:
    """Write `thesis.html` from `thesis.json` in BUILD; return warnings, of full slides among them.

    Raises:
        UnavailableError: pandoc is missing or fails.
    """
    (build / TEMPLATE).write_text(layout_text(TEMPLATE), encoding="utf-8")
    words = Words(deck.language)
    variables = ["--variable", "handout=handout"] if deck.handout else []
    for name in LABELS:
        text = escape(str(words.say(f"slides.{name}")), quote=True)
        variables += ["--variable", f"say-{name}={text}"]
    _, warnings = pandoc.run_pandoc(
        [
            *arguments, "--template", TEMPLATE, "--mathml", "--embed-resources", *variables,
            "--output", "thesis.html",
        ],
        build,
    )  # fmt: skip
    return [*warnings, *overfull(deck, HTML)]
