"""The regions in the text of a run note where the student answers, found on bytes.

    ## Analysis

    <!-- thesis:answer analysis -->

    The student's words, up to the next heading of this level or above, the next marker, or the
    end of the note.

The marker stands at column 0, outside code fences. Everything is found on bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vault_sync.engine.text.markers import body_start

_MARKER = re.compile(rb"<!--[ \t]*thesis:answer[ \t]+([A-Za-z][\w-]*)[ \t]*-->[ \t]*")
_ENDS = re.compile(
    rb"(?<![^\r\n])(?:"
    rb"(?P<marker>[ \t]*<!--[ \t]*thesis:answer\b)|(?P<block><!--[ \t]*thesis:(?:begin|end)\b)"
    rb"| {0,3}(?:(?P<fence>`{3,}|~{3,})|(?P<heading>\#{1,6})(?=[ \t\r\n]|\Z)"
    rb"|(?P<under>=+|-+)[ \t]*(?=[\r\n]|\Z)))"
)
"""The beginning of each line that may end a region, begin one, or hide what follows."""
_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\n|\r|\Z)")
_BLANK = re.compile(rb"(?:\A|(?<=\n)|(?<=\r)(?!\n))[ \t]*(?:\r\n|\n|\r)")
_NO_PARAGRAPH = re.compile(rb"(?: {4}|\t|[ ]{0,3}(?:[>|<]|[-+*](?:[ \t]|\Z)|\d+[.)](?:[ \t]|\Z)))")
_GAP = re.compile(rb"(?:\r\n|\n|\r(?!\n))[ \t]*(?:\r\n|\n|\r)")
"""An empty line, after the end of a line of words."""
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

    @property
    def _ending(self) -> bytes:
        """What ends lines here: that of the marker, or, where the note ends with it, the note's."""
        before = self.data[: self.start]
        if before.endswith(b"\n"):
            return b"\r\n" if before.endswith(b"\r\n") else b"\n"
        return b"\r\n" if b"\r\n" in self.data else b"\n"

    def _touches(self, place: int) -> bool:
        """Whether words up to PLACE would flow into the underlined heading that ends the region."""
        gap, after = self.data[place : self.stop], self.data[self.stop :].lstrip(b" ")
        return bool(after) and not after.startswith((b"#", b"<")) and not _GAP.search(gap)

    def replacement(self, words: str) -> tuple[int, int, bytes]:
        """Return the splice that makes WORDS stand here: its start, its stop, its bytes."""
        ending = self._ending
        text = words.encode().replace(b"\n", ending)
        start, stop = self.place
        if start < stop and text:
            return start, stop, text + (ending if self._touches(stop) else b"")
        lead = b"" if self.data[: self.start].endswith((b"\n", b"\r")) else ending
        inner = ending + text + ending if text else b""
        return self.start, self.stop, lead + inner + (ending if self.stop < len(self.data) else b"")


@dataclass(frozen=True)
class BrokenMarker:
    """An answer marker that can't be trusted."""

    line: int
    name: str
    reason: str


@dataclass
class Regions:
    """The regions of a note, and what is wrong with their markers."""

    by_name: dict[str, Region] = field(default_factory=dict)
    broken: list[BrokenMarker] = field(default_factory=list)


def find_regions(data: bytes) -> Regions:
    """Find the regions of a note; a marker that stands there twice gives none."""
    if b"thesis:answer" not in data:
        return Regions()
    scanner = _RegionScanner(data)
    scanner.run()
    for name in {marker.name for marker in scanner.regions.broken}:
        scanner.regions.by_name.pop(name, None)
    return scanner.regions


class _RegionScanner:
    """One pass over the lines of a note that matter."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.regions = Regions()
        self.fence: bytes | None = None
        self.level = 7
        """Level of the latest heading; 7 before any."""
        self.latest = body_start(data)
        """Where the text began that has been plain up to this line."""
        self.open: tuple[str, int, int, int] | None = None
        """Name, line, start and level of the region that is open."""

    def run(self) -> None:
        for match in _ENDS.finditer(self.data, self.latest):
            line = _LINE.match(self.data, match.start())
            if line is not None and match.start() >= self.latest:
                self.line(match, line)
        self.close(len(self.data))

    def line(self, match: re.Match[bytes], line: re.Match[bytes]) -> None:
        """Take one line of those that matter; what is plain text begins after it."""
        kind = match.lastgroup
        if self.fence is not None:
            self.in_fence(match, line)
            return
        if kind == "fence":
            rest = self.data[match.end() : line.end(1)]
            if match["fence"].startswith(b"`") and b"`" in rest:
                return
            self.fence = match["fence"]
        elif kind == "marker":
            self.marker(line)
        elif kind == "block":
            self.close(match.start())
        elif kind == "heading":
            self.heading(len(match["heading"]), match.start())
        else:
            paragraph = self.paragraph(match.start())
            if paragraph is None:
                return
            self.heading(1 if match["under"].startswith(b"=") else 2, paragraph)
        self.latest = line.end()

    def in_fence(self, match: re.Match[bytes], line: re.Match[bytes]) -> None:
        """Look whether a line closes the fence that is open."""
        mark, rest = match["fence"], self.data[match.end() : line.end(1)]
        if mark and self.fence and mark.startswith(self.fence) and not rest.strip():
            self.fence, self.latest = None, line.end()

    def paragraph(self, stop: int) -> int | None:
        """Return where the paragraph begins that goes up to STOP; None where there is none."""
        text = self.data[self.latest : stop]
        start = self.latest
        for blank in _BLANK.finditer(text):
            start = self.latest + blank.end()
        if start >= stop or _NO_PARAGRAPH.match(self.data, start):
            return None
        return start

    def marker(self, line: re.Match[bytes]) -> None:
        self.close(line.start())
        number = 1 + len(re.findall(rb"\r\n|\n|\r", self.data[: line.start()]))
        match = _MARKER.fullmatch(line[1])
        name = match[1].decode() if match else ""
        if match is None:
            reason = "this marker can't be read; write <!-- thesis:answer NAME --> at column 0"
            self.regions.broken.append(BrokenMarker(number, name, reason))
        elif name in self.regions.by_name:
            first = self.regions.by_name[name].line
            reason = f"the marker of {name!r} stands here again, after line {first}; keep one"
            self.regions.broken.append(BrokenMarker(number, name, reason))
        else:
            stop = line.end()
            self.open = name, number, stop, self.level
            self.regions.by_name[name] = Region(name, number, stop, stop, self.data)

    def heading(self, level: int, begin: int) -> None:
        """End the region that is open where a heading is above it."""
        if self.open is not None and level <= self.open[3]:
            self.close(begin)
        self.level = level

    def close(self, stop: int) -> None:
        """End the region that is open."""
        if self.open is not None:
            name, line, start, _ = self.open
            self.regions.by_name[name] = Region(name, line, start, max(start, stop), self.data)
            self.open = None
