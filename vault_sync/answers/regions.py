"""The regions of a run's note that belong to the student and are read back.

    ## Analysis

    <!-- thesis:answer analysis -->

    The student's words, up to the next heading of this level or above, the next marker, or the
    end of the note.

The marker stands at column 0, outside code fences. Everything is found on bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vault_sync.engine.markers import body_start

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
_MARKER = re.compile(rb"<!--[ \t]*thesis:answer[ \t]+([A-Za-z][\w-]*)[ \t]*-->[ \t]*")
_LOOKS_LIKE = re.compile(rb"[ \t]*<!--[ \t]*thesis:answer\b")
_BLOCK = re.compile(rb"<!--[ \t]*thesis:(?:begin|end)\b")
_FENCE = re.compile(rb" {0,3}(`{3,}|~{3,})([^\r\n]*)")
_HEADING = re.compile(rb" {0,3}(#{1,6})(?:[ \t]|\Z)")
_UNDERLINE = re.compile(rb" {0,3}(=+|-+)[ \t]*")
_NO_PARAGRAPH = re.compile(rb"(?: {4}|\t|[ ]{0,3}(?:[>|<]|[-+*](?:[ \t]|\Z)|\d+[.)](?:[ \t]|\Z)))")
_BLANK_ENDS = re.compile(rb"\A(?:[ \t]*(?:\r\n|\n|\r))*")


@dataclass(frozen=True)
class Region:
    """Where a student answers in the text of a note."""

    name: str
    line: int
    """1-based line of its marker."""
    start: int
    """Offset just after the marker's line."""
    stop: int
    data: bytes = field(repr=False)
    """The note."""

    @property
    def place(self) -> tuple[int, int]:
        """Return where the answer's own words begin and end, blank lines around them left out."""
        inside = self.data[self.start : self.stop]
        lead = _BLANK_ENDS.match(inside)
        start = lead.end() if lead else 0
        return self.start + start, self.start + max(start, len(inside.rstrip(b" \t\r\n")))

    @property
    def words(self) -> bytes:
        """Return what stands there."""
        start, stop = self.place
        return self.data[start:stop]

    def replacement(self, words: str) -> tuple[int, int, bytes]:
        """Return the splice that makes WORDS stand here: its start, its stop, its bytes."""
        ending = b"\r\n" if b"\r\n" in self.data else b"\n"
        text = words.encode().replace(b"\n", ending)
        start, stop = self.place
        if start < stop and text:
            return start, stop, text
        lead = b"" if self.data[: self.start].endswith((b"\n", b"\r")) else ending
        inner = ending + text + ending if text else b""
        return self.start, self.stop, lead + inner + (ending if self.stop < len(self.data) else b"")


@dataclass(frozen=True)
class Broken:
    """A marker that can't be trusted."""

    line: int
    name: str
    reason: str


@dataclass
class Regions:
    """The regions of a note, and what is wrong with their markers."""

    found: dict[str, Region] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)


def find_regions(data: bytes) -> Regions:
    """Find the regions of a note; a marker that stands there twice gives none."""
    if b"thesis:answer" not in data:
        return Regions()
    walk = _Walk(data)
    walk.run()
    for name in {one.name for one in walk.regions.broken}:
        walk.regions.found.pop(name, None)
    return walk.regions


class _Walk:
    """One pass over the lines of a note."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.regions = Regions()
        self.fence: bytes | None = None
        self.paragraph: int | None = None
        """Where the paragraph began that this line may go on."""
        self.inner = False
        """Whether this line may go on a list, a quote or a table."""
        self.level = 7
        """Level of the latest heading; 7 before any."""
        self.open: tuple[str, int, int, int] | None = None
        """Name, line, start and level of the region that is open."""

    def run(self) -> None:
        place = body_start(self.data)
        number = len(re.findall(rb"\r\n|\n|\r", self.data[:place]))
        while place < len(self.data):
            match = _LINE.match(self.data, place)
            if match is None:  # pragma: no cover - the pattern matches at every offset
                break
            number += 1
            self.line(match[1], number, place, match.end())
            place = match.end()
        self.close(len(self.data))

    def line(self, text: bytes, number: int, start: int, stop: int) -> None:
        fence = _FENCE.fullmatch(text)
        if self.fence is not None:
            if fence and fence[1].startswith(self.fence) and not fence[2].strip():
                self.fence = None
        elif fence and not (fence[1].startswith(b"`") and b"`" in fence[2]):
            self.fence, self.paragraph = fence[1], None
        elif _LOOKS_LIKE.match(text):
            self.marker(text, number, start, stop)
        elif _BLOCK.match(text):
            self.close(start)
            self.paragraph = None
        elif not self.heading(text, start):
            self.follow(text, start)

    def marker(self, text: bytes, number: int, start: int, stop: int) -> None:
        self.close(start)
        self.paragraph = None
        match = _MARKER.fullmatch(text)
        name = match[1].decode() if match else ""
        if match is None:
            reason = "this marker can't be read; write <!-- thesis:answer NAME --> at column 0"
            self.regions.broken.append(Broken(number, name, reason))
        elif name in self.regions.found:
            first = self.regions.found[name].line
            reason = f"the marker of {name!r} stands here again, after line {first}; keep one"
            self.regions.broken.append(Broken(number, name, reason))
        else:
            self.open = name, number, stop, self.level
            self.regions.found[name] = Region(name, number, stop, stop, self.data)

    def heading(self, text: bytes, start: int) -> bool:
        """Whether a line is a heading, or makes one of the paragraph above it."""
        match, under = _HEADING.match(text), _UNDERLINE.fullmatch(text)
        if match:
            level, begin = len(match[1]), start
        elif under and self.paragraph is not None:
            level, begin = 1 if under[1].startswith(b"=") else 2, self.paragraph
        else:
            return False
        self.paragraph = None
        if self.open is not None and level <= self.open[3]:
            self.close(begin)
        self.level = level
        return True

    def follow(self, text: bytes, start: int) -> None:
        """Keep track of the paragraph that a line of dashes below would make a heading."""
        if not text.strip():
            self.paragraph, self.inner = None, False
        elif self.paragraph is None and (self.inner or _NO_PARAGRAPH.match(text)):
            self.inner = True
        elif self.paragraph is None:
            self.paragraph = start

    def close(self, stop: int) -> None:
        """End the region that is open."""
        if self.open is not None:
            name, line, start, _ = self.open
            self.regions.found[name] = Region(name, line, start, max(start, stop), self.data)
            self.open = None
