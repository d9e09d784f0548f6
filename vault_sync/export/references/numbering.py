"""One count for all formats: numbers of sections, figures, tables and formulas, in their order.

A document of several chapters counts by chapter (figure 3.2, in an appendix A.2), as theses do and
as LaTeX's `report` does; a shorter one counts through. Formats show these numbers, or count alike.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vault_sync.export.reading.labels import EQUATION, FIGURE, SECTION, TABLE
from vault_sync.export.reading.pandoc_ast import classes, find
from vault_sync.export.references.captions import COUNTED
from vault_sync.export.references.equations import EQUATION as FORMULA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vault_sync.export.reading.pandoc_ast import Node

APPENDICES = "appendices"
"""Class of the empty division after which chapters are appendices."""
UNNUMBERED = "unnumbered"
DEEPEST = 3
"""Level of the lowest headings that have numbers."""
PAGE, INNER, FOOT = "page", "inner", "foot"
"""Where something stands: between the paragraphs of a section, within a list, a quotation or a box,
in a note at the foot."""


@dataclass(frozen=True)
class Numbered:
    """Something that has a number; a heading without one has an empty number."""

    kind: str
    """figure, table, equation or section."""
    number: str
    """Without brackets: `3.2`, `A.1`."""
    identity: str
    level: int = 0
    """Of a heading."""
    appendix: bool = False
    within: str = ""
    """The number of the chapter that it is counted in; empty where the document counts through."""
    count: int = 0
    """Its own part of the number; 0 where a tag stands for it."""
    place: str = PAGE
    caption: tuple[Node, ...] = ()


@dataclass
class Numbers:
    """The numbers of a document."""

    by_chapter: bool = False
    entries: dict[str, Numbered] = field(default_factory=dict)
    """Id -> what has it, in the order of the document; headings without number among them."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Further ids of the same things -> their ids."""

    def find(self, identity: str) -> Numbered | None:
        """Return what an id stands for; None where that has no number."""
        entry = self.entries.get(self.aliases.get(identity, identity))
        return entry if entry and entry.number else None

    def of(self, kind: str) -> list[Numbered]:
        """Return what is of one KIND, in order."""
        return [entry for entry in self.entries.values() if entry.kind == kind]


def chapters(blocks: Iterable[Node]) -> list[Node]:
    """Return the headings of the first level."""
    return [node for node in blocks if node["t"] == "Header" and node["c"][0] == 1]


def number(
    blocks: list[Node], new_id: Callable[[str], str], *, by_chapter: bool
) -> tuple[list[Node], Numbers]:
    """Number what is to be numbered in BLOCKS; NEW_ID makes an id for what has none.

    Returns the blocks, in which numbered nodes have an id and the attribute `number`, and the
    numbers. Links to further names of a thing lead to its one id.
    """
    # A note that is embedded twice is in it twice, with the same nodes.
    blocks = copy.deepcopy(blocks)
    counting = _Counting(new_id, Numbers(by_chapter))
    counting.visit(blocks, PAGE)
    aliases = counting.numbers.aliases
    for link in find(blocks, "Link"):
        target = link["c"][2][0]
        if target.startswith("#") and target[1:] in aliases:
            link["c"][2][0] = f"#{aliases[target[1:]]}"
    return blocks, counting.numbers


class _Counting:
    """Walks through a document and writes into its nodes."""

    def __init__(self, new_id: Callable[[str], str], numbers: Numbers) -> None:
        self.new_id = new_id
        self.numbers = numbers
        self.sections: list[int] = []
        self.counts: Counter[str] = Counter()
        self.chapter = ""
        self.lettered = False

    def visit(self, value: Any, place: str) -> None:
        if isinstance(value, list):
            for item in value:
                self.visit(item, place)
        elif isinstance(value, dict) and "t" in value:
            self._visit(value, place)

    def _visit(self, node: Node, place: str) -> None:
        kind: str = node["t"]
        content: Any = node.get("c")
        if kind == "Header":
            self._heading(node, place)
        elif kind == "Figure" and COUNTED in classes(node):
            self._count(FIGURE, content[0], place, content[1][1])
        elif kind == "Table" and COUNTED in classes(node):
            self._count(TABLE, content[0], place, content[1][1])
        elif kind == "Div" and FORMULA in classes(node):
            self._count(EQUATION, content[0], place, [])
        elif kind == "Div" and APPENDICES in classes(node):
            self.sections, self.lettered, self.chapter = [], True, ""
        self.visit(content, _within(node, place))

    def _heading(self, node: Node, place: str) -> None:
        level, attrs, _ = node["c"]
        bare = UNNUMBERED in attrs[1] or level > DEEPEST or place != PAGE
        if not bare:
            # A level that is left out has no number: programs would count it each in its own way.
            level = node["c"][0] = min(level, len(self.sections) + 1)
            self.sections = (self.sections + [0] * level)[:level]
            self.sections[-1] += 1
        text = "" if bare else self._section()
        if text and level == 1 and self.numbers.by_chapter:
            self.chapter = text
            self.counts.clear()
        entry = Numbered(SECTION, text, attrs[0], level, self.lettered, place=place)
        self._enter(entry, attrs)

    def _section(self) -> str:
        first, *rest = self.sections
        letter = chr(64 + first) if self.lettered and first <= 26 else str(first)
        return ".".join([letter, *map(str, rest)])

    def _count(self, kind: str, attrs: list[Any], place: str, legend: list[Node]) -> None:
        tag = dict(attrs[2]).get("tag", "")
        if not tag:
            self.counts[kind] += 1
        count = 0 if tag else self.counts[kind]
        text = tag or ".".join(filter(None, (self.chapter, str(count))))
        attrs[0] = attrs[0] or self.new_id(f"{kind}-{text}")
        words = tuple(legend[0]["c"]) if legend and legend[0]["t"] in ("Plain", "Para") else ()
        entry = Numbered(
            kind,
            text,
            attrs[0],
            appendix=self.lettered,
            within=self.chapter,
            count=count,
            place=place,
            caption=words,
        )
        self._enter(entry, attrs)

    def _enter(self, entry: Numbered, attrs: list[Any]) -> None:
        pairs = dict(attrs[2])
        for alias in pairs.pop("aliases", "").split():
            self.numbers.aliases[alias] = entry.identity
        if entry.number:
            pairs |= {"number": entry.number, "place": entry.place}
        pairs.pop("tag", None)
        attrs[2] = [list(pair) for pair in pairs.items()]
        attrs[1] = [name for name in attrs[1] if name != COUNTED]
        self.numbers.entries[entry.identity] = entry


def _within(node: Node, place: str) -> str:
    """Return where the content of a node stands that stands at PLACE."""
    kind = node["t"]
    if kind == "Note" or place == FOOT:
        return FOOT
    boxed = kind == "Div" and "callout" in classes(node)
    listed = kind in ("BlockQuote", "BulletList", "OrderedList", "DefinitionList")
    return INNER if boxed or listed else place
