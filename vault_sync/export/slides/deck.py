"""A tree split into slides.

Where a note has a line `---`, that alone parts slides, as Obsidian's Slides does. Without one,
headings do, as pandoc has it: the highest level under which anything but a heading follows begins
slides, and those above it are slides that open a part of the talk.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vault_sync.export.empty_sections import REFERENCES, SHOWN
from vault_sync.export.reading.pandoc_ast import block, find, plain, rewrite
from vault_sync.export.slides.speaker_notes import take_notes

if TYPE_CHECKING:
    from vault_sync.export.front_matter.details import DocumentDetails
    from vault_sync.export.reading.pandoc_ast import Node


@dataclass(frozen=True)
class Slide:
    """One slide: what it shows, and what the speaker says."""

    title: list[Node] = field(default_factory=list)
    """Inlines; empty where it has none."""
    blocks: list[Node] = field(default_factory=list)
    notes: list[Node] = field(default_factory=list)
    identity: str = ""
    """By which links mean it."""
    part: bool = False
    """Whether it opens a part of the talk, and shows its title large."""

    @property
    def empty(self) -> bool:
        """Whether nothing stands below its title."""
        return not any(map(_shows, self.blocks))

    @property
    def bare(self) -> bool:
        """Whether its title is shown large: it opens a part, or there is nothing else."""
        return self.part or (self.empty and bool(self.title))


def split(blocks: list[Node]) -> list[Slide]:
    """Part BLOCKS of a note (its title aside) into slides; the first holds what stands before any.

    The first slide, which has the title of the talk, is there even where nothing is on it. The list
    of cited works becomes a slide of its own, the last.
    """
    main, references = _without_references(blocks)
    ruled = any(node["t"] == "HorizontalRule" for node in main)
    slides = _by_rules(main) if ruled else _by_headings(main)
    return slides + ([_slide(references)] if references else [])


def _by_rules(blocks: list[Node]) -> list[Slide]:
    rows: list[list[Node]] = [[]]
    for node in blocks:
        if node["t"] == "HorizontalRule":
            rows.append([])
        else:
            rows[-1].append(node)
    opening, *rest = rows
    if any(node["t"] == "Header" for node in opening):  # the title alone is the first slide
        rest, opening = [opening, *rest], []
    return [_opening(opening), *(_slide(row) for row in rest if any(map(_shows, row)))]


def _by_headings(blocks: list[Node]) -> list[Slide]:
    level = slide_level(blocks)
    rows: list[list[Node]] = [[]]
    for node in blocks:
        if node["t"] == "Header" and node["c"][0] <= level:
            rows.append([])
        rows[-1].append(node)
    opening, *rest = rows
    return [
        _opening(opening),
        *(replace(_slide(row), part=row[0]["c"][0] < level) for row in rest),
    ]


def slide_level(blocks: list[Node]) -> int:
    """Return the highest level of a heading that something else than a heading follows."""
    levels = [
        node["c"][0]
        for node, after in zip(blocks, [*blocks, None][1:], strict=True)
        if node["t"] == "Header" and after is not None and after["t"] != "Header"
    ]
    every = [node["c"][0] for node in blocks if node["t"] == "Header"]
    return min(levels, default=min(every, default=1))


def _opening(row: list[Node]) -> Slide:
    shown, notes = take_notes(_plain_headings(row))
    return Slide(blocks=shown, notes=notes)


def _slide(row: list[Node]) -> Slide:
    """Make a slide of its blocks; the first heading, where it comes first, is its title."""
    first = next((place for place, node in enumerate(row) if _shows(node)), 0)
    if row and row[first]["t"] == "Header":
        _, attrs, title = row[first]["c"]
        shown, notes = take_notes(_plain_headings([*row[:first], *row[first + 1 :]]))
        return Slide(title, shown, notes, attrs[0])
    shown, notes = take_notes(_plain_headings(row))
    return Slide([], shown, notes)


def _plain_headings(row: list[Node]) -> list[Node]:
    """Return blocks whose headings stand below the title of the slide, without number."""
    return [
        {"t": "Header", "c": [3, [node["c"][1][0], [], []], node["c"][2]]}
        if node["t"] == "Header"
        else node
        for node in row
    ]


def _without_references(blocks: list[Node]) -> tuple[list[Node], list[Node]]:
    for place, node in enumerate(blocks):
        listed = node["t"] == "Div" and node["c"][0][0] == REFERENCES
        if listed and place and blocks[place - 1]["t"] == "Header":
            return [*blocks[: place - 1], *blocks[place + 1 :]], blocks[place - 1 : place + 1]
    return blocks, []


def _shows(node: Node) -> bool:
    if node["t"] == "Div" and node["c"][0][0] == REFERENCES:
        return True
    if node["t"] in ("Para", "Plain", "Div", "BlockQuote", "Header"):
        return bool(plain(node).strip()) or any(any(find(node, kind)) for kind in SHOWN)
    return bool(node["t"] != "HorizontalRule")


def footnotes_below(slide: Slide) -> Slide:
    """Return a slide whose footnotes stand at its own foot, in small letters."""
    notes: list[list[Node]] = []

    def change(row: list[Node]) -> list[Node]:
        return [_mark(node, notes) if node["t"] == "Note" else node for node in row]

    title = rewrite(slide.title, inlines=change)
    blocks = rewrite(slide.blocks, inlines=change)
    if not notes:
        return slide
    rows = [
        block("Para", [_raised(number), {"t": "Space"}, *_line(content)])
        for number, content in enumerate(notes, 1)
    ]
    foot = {"t": "Div", "c": [["", ["slide-foot"], []], rows]}
    return replace(slide, title=title, blocks=[*blocks, foot])


def _mark(node: Node, notes: list[list[Node]]) -> Node:
    notes.append(node["c"])
    return _raised(len(notes))


def _raised(number: int) -> Node:
    return block("Superscript", [{"t": "Str", "c": str(number)}])


def _line(content: list[Node]) -> list[Node]:
    rows = [node["c"] for node in content if node["t"] in ("Para", "Plain")]
    return [piece for row in rows for piece in ({"t": "Space"}, *row)][1:]


@dataclass(frozen=True)
class Deck:
    """A talk: what every format writes."""

    title: list[Node]
    slides: list[Slide]
    """The first has the title of the talk."""
    details: DocumentDetails
    language: str
    logo: str = ""
    """Its file, beside the source; empty without one."""
    handout: bool = False
    """Whether the notes for the speaker are printed below each slide."""

    def name(self, number: int) -> str:
        """Return how warnings call the slide with a NUMBER, counted from 1."""
        slide = self.slides[number - 1]
        title = plain(self.title if number == 1 else slide.title).strip()
        return f"slide {number}" + (f" ({title})" if title else "")

    def empty(self) -> list[str]:
        """Warn of slides with a title and nothing below; of those that open a part it is right."""
        return [
            f"{self.name(number)}: nothing stands on it yet"
            for number, slide in enumerate(self.slides, 1)
            if number > 1 and slide.empty and not slide.part
        ]
