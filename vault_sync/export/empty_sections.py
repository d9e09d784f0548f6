"""Headings with nothing below them: they are not printed, and named with their notes and lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vault_sync.export.reading.headings import heading_key
from vault_sync.export.reading.pandoc_ast import classes, div, find, plain
from vault_sync.export.references.numbering import APPENDICES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pandoc_ast import Node

REFERENCES = "refs"
"""Id of the division that the list of references will fill."""
SHOWN = ("Image", "Math", "Table", "CodeBlock", "Cite", "RawInline", "RawBlock")
"""Nodes that show something without words."""


@dataclass(frozen=True)
class EmptySection:
    """A heading that heads nothing."""

    path: str
    """Of its note, or of the folder that it stands for."""
    line: int
    """1-based, in the note's file; 0 where the note has no such line."""
    heading: str

    @property
    def where(self) -> str:
        """Return the note and the line."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass
class EmptySections:
    """Takes the headings without content out of a document."""

    index: LinkIndex
    places: Mapping[tuple[str, str], str]
    """(note, heading folded) -> the id of the heading."""
    found: list[EmptySection] = field(default_factory=list)
    """Those that were taken out, in order."""

    def remove(self, blocks: list[Node]) -> list[Node]:
        """Return BLOCKS without headings that head nothing; their ids stay, for links."""
        empty: set[int] = set()
        for place in range(len(blocks) - 1, -1, -1):
            if blocks[place]["t"] == "Header" and self._heads_nothing(blocks, place, empty):
                empty.add(place)
        self._find(blocks, empty)
        return [
            div([], node["c"][1][0]) if place in empty else node
            for place, node in enumerate(blocks)
        ]

    def warnings(self) -> list[str]:
        """Word what was taken out, a line for each note."""
        by_note: dict[str, list[EmptySection]] = {}
        for section in self.found:
            by_note.setdefault(section.path, []).append(section)
        return [
            f"{first.where}: not printed, for nothing stands below: "
            + ", ".join([first.heading, *(f"{one.heading} (line {one.line})" for one in rest)])
            for first, *rest in by_note.values()
        ]

    def _heads_nothing(self, blocks: list[Node], place: int, empty: set[int]) -> bool:
        """Whether only empty sections, and nothing else, follow until one of its level or above."""
        level = blocks[place]["c"][0]
        part = "part" in blocks[place]["c"][1][1]
        for later in range(place + 1, len(blocks)):
            node = blocks[later]
            if node["t"] == "Header" and (part or node["c"][0] > level) and not _is_part(node):
                if later not in empty:
                    return False
            elif node["t"] == "Header" or _begins_appendices(node):
                return True
            elif _says_something(node):
                return False
        return True

    def _find(self, blocks: list[Node], empty: set[int]) -> None:
        """Note where the headings at the places EMPTY are written."""
        notes = {name: path for (path, _), name in self.places.items()}
        seen: Counter[tuple[str, str]] = Counter()
        current = ""
        for place, node in enumerate(blocks):
            if node["t"] != "Header":
                continue
            text = plain(node["c"][2]).strip()
            current = notes.get(node["c"][1][0], current)
            if place in empty:
                line = self._line(current, text, seen[current, text])
                self.found.append(EmptySection(current or text, line, text))
            seen[current, text] += 1

    def _line(self, path: str, text: str, before: int) -> int:
        """Return the line of a heading, of which BEFORE stand above; 0 where there is none."""
        if path not in self.index.notes:
            return 0
        body, first = self.index.body(path)
        lines = [
            first + number
            for number, line in enumerate(body.split("\n"))
            if (match := re.fullmatch(r"#{1,6}\s+(.*?)(?:\s+#+)?\s*", line))
            and _same(match[1], text)
        ]
        return lines[min(before, len(lines) - 1)] if lines else 0


def _same(written: str, text: str) -> bool:
    """Whether a line of a note is the heading TEXT, however it is marked."""

    def letters(value: str) -> str:
        return re.sub(r"\W+", "", heading_key(value))

    return letters(re.sub(r"<!--.*?-->|%%.*?%%|\s\^[\w-]+\Z", "", written)) == letters(text)


def _is_part(node: Node) -> bool:
    return "part" in node["c"][1][1]


def _begins_appendices(node: Node) -> bool:
    return node["t"] == "Div" and APPENDICES in classes(node)


def _says_something(node: Node) -> bool:
    """Whether a block shows anything: words, a picture, the list of references."""
    if node["t"] == "HorizontalRule":
        return False
    if node["t"] == "Div" and node["c"][0][0] == REFERENCES:
        return True
    if node["t"] in ("Para", "Plain", "Div", "BlockQuote"):
        return bool(plain(node).strip()) or any(any(find(node, kind)) for kind in SHOWN)
    return True
