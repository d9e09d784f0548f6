"""Numbers in prose that are bound to a record, found on the bytes of a note.

    reaches <!--t:v2@best widerface.hard.ap .1%-->82.5 %<!--/t--> on the hard subset

Both comments stand in one paragraph, table row or list item. What is broken is reported with its
place and never guessed at.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vault_sync.prose.passages import Passages, find_passages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

END = b"<!--/t-->"
OWN = b"<!--t:own-->"
"""Says that the numbers around it are the student's own, or an opinion: no record has them."""
_ANY = re.compile(rb"<!--[ \t]*/?t(?::|[ \t]*-->)")
_STEP = re.compile(rb"\\.|`+|<!--", re.DOTALL)
_BEGIN = re.compile(rb"<!--t:((?:(?!-->|<!--)[^\r\n])*)-->")
_OWN = re.compile(rb"<!--[ \t]*t:own[ \t]*-->")
_NEARLY = re.compile(rb"<!--(?:t:|[ \t]+t:\S|[ \t]*/[ \t]*t[ \t]*-->)")
_MARKS = {"end": re.compile(re.escape(END)), "own": _OWN, "begin": _BEGIN, "broken": _NEARLY}
"""Kind of marker -> how it is written, in the order they are tried."""


@dataclass(frozen=True)
class BindingPlace:
    """Where something stands in a note, both counted from 1; columns count characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Binding:
    """One bound number."""

    reference: str
    """What the opening comment says: which run, which metric, how it is written."""
    text: str
    """The number, as the note has it."""
    place: BindingPlace
    start: int
    """Offset of the opening comment."""
    text_start: int
    text_stop: int
    stop: int
    """Offset just after the closing comment."""


@dataclass(frozen=True)
class BindingError:
    """A comment that binds nothing because something is wrong with it."""

    place: BindingPlace
    reason: str
    text: str = ""


@dataclass(frozen=True)
class Bindings:
    """The bound numbers of a note, in order, and what is broken."""

    numbers: tuple[Binding, ...] = ()
    faults: tuple[BindingError, ...] = ()


REASONS = {
    "blocks": "the markers of a generated block are broken here; its numbers were not looked at",
    "fence": "a code fence opens here, is never closed and swallows bound numbers",
    "malformed": "this comment can't be read; write <!--t:RUN METRIC FORMAT-->82.5 %<!--/t-->",
    "nested": "a bound number begins inside another one",
    "no-begin": "a bound number ends here but never began in this paragraph",
    "no-end": "a bound number begins here and does not end in this paragraph: <!--/t--> is missing",
}


@dataclass(frozen=True)
class InlineToken:
    """A code span, comment or number marker within a passage."""

    kind: str
    """`code`, `comment`, `begin`, `end`, `own` or `broken`."""
    start: int
    stop: int


@dataclass
class LineIndex:
    """The places of a note's offsets; asking for them in order takes linear time."""

    data: bytes
    _starts: list[int] = field(default_factory=list)
    _latest: tuple[int, int, int] = (0, 0, 1)
    """Line, offset and column of the latest place."""

    def place(self, offset: int) -> BindingPlace:
        """Return line and column of an offset."""
        if not self._starts:
            ends = re.finditer(rb"\r\n|\n|\r", self.data)
            self._starts = [0, *(match.end() for match in ends)]
        line = bisect_right(self._starts, offset)
        known_line, start, column = self._latest
        if line != known_line or offset < start:
            start, column = self._starts[line - 1], 1
        before = self.data[start:offset]
        before = before.removeprefix(b"\xef\xbb\xbf") if start == 0 else before
        column += len(before.decode("utf-8", "replace"))
        self._latest = (line, offset, column)
        return BindingPlace(line, column)


def may_hold(data: bytes) -> bool:
    """Whether a note may hold bound numbers: a quick look that misses none."""
    return _ANY.search(data) is not None


def place_of(data: bytes, offset: int) -> BindingPlace:
    """Return line and column of an offset."""
    return LineIndex(data).place(offset)


def find_bindings(data: bytes) -> Bindings:
    """Find the bound numbers of a note; any bytes do.

    Example: ``reaches <!--t:v2 widerface.hard.ap-->82.5 %<!--/t-->`` holds a number with
    reference ``v2 widerface.hard.ap`` and text ``82.5 %``.
    """
    if not may_hold(data):
        return Bindings()
    passages = find_passages(data)
    lines = LineIndex(data)
    if passages.faults:
        return Bindings(
            (), tuple(BindingError(BindingPlace(at, 1), "blocks") for at in passages.faults)
        )
    numbers: list[Binding] = []
    faults = list(_swallowed(data, passages, lines))
    for start, stop in passages.stretches:
        if data.find(b"<!--", start, stop) >= 0:
            _pair(data, read_tokens(data, start, stop), lines, numbers, faults)
    faults.sort(key=lambda fault: (fault.place.line, fault.place.column))
    return Bindings(tuple(numbers), tuple(faults))


def read_tokens(data: bytes, start: int, stop: int) -> Iterator[InlineToken]:
    """Yield code spans, comments and markers between two offsets of one passage, in order."""
    reader = _TokenReader(data, stop)
    place = start
    while (match := _STEP.search(data, place, stop)) is not None:
        token = reader.read(match)
        place = match.end() if token is None else token.stop
        if token is not None:
            yield token


@dataclass
class _TokenReader:
    """Reads what one step of a passage begins; what is never closed is looked for once."""

    data: bytes
    stop: int
    unclosed: set[bytes] = field(default_factory=set)
    """Backticks, and the opening of comments, that nothing closes from here on."""

    def read(self, match: re.Match[bytes]) -> InlineToken | None:
        """Return the token at MATCH; None where it is ordinary text."""
        if match[0].startswith(b"\\"):
            return None
        if match[0].startswith(b"`"):
            return self._code(match)
        for kind, pattern in _MARKS.items():
            if marked := pattern.match(self.data, match.start(), self.stop):
                return InlineToken(kind, match.start(), marked.end())
        return self._comment(match)

    def _comment(self, match: re.Match[bytes]) -> InlineToken | None:
        if match[0] in self.unclosed:
            return None
        close_at = self.data.find(b"-->", match.end(), self.stop)
        if close_at < 0:
            self.unclosed.add(match[0])
        return InlineToken("comment", match.start(), close_at + 3) if close_at >= 0 else None

    def _code(self, match: re.Match[bytes]) -> InlineToken | None:
        if match[0] in self.unclosed:
            return None
        at, ticks = match.start(), match[0]
        close = re.compile(rb"(?<!`)" + ticks + rb"(?!`)").search(self.data, match.end(), self.stop)
        if close is None:
            self.unclosed.add(ticks)
        return InlineToken("code", at, close.end()) if close else None


def _swallowed(data: bytes, passages: Passages, lines: LineIndex) -> Iterator[BindingError]:
    for start in passages.hidden:
        if _ANY.search(data, start):
            yield BindingError(lines.place(start), "fence")


def _pair(
    data: bytes,
    tokens: Iterable[InlineToken],
    lines: LineIndex,
    numbers: list[Binding],
    faults: list[BindingError],
) -> None:
    """Match opening and closing comments of one passage."""
    opened: list[InlineToken] = []
    nested = False

    def fault(token: InlineToken, reason: str) -> None:
        text = data[token.start : token.stop].decode("utf-8", "replace")
        faults.append(BindingError(lines.place(token.start), reason, text))

    for token in tokens:
        if token.kind == "broken":
            fault(token, "malformed")
        elif token.kind == "begin":
            if opened:
                nested = True
                fault(token, "nested")
            opened.append(token)
        elif token.kind == "end" and not opened:
            fault(token, "no-begin")
        elif token.kind == "end":
            begin = opened.pop()
            if not nested:
                numbers.append(_bound(data, begin, token, lines))
            nested = nested and bool(opened)
    if opened:
        fault(opened[0], "no-end")


def _bound(data: bytes, begin: InlineToken, end: InlineToken, lines: LineIndex) -> Binding:
    reference = data[begin.start + len(b"<!--t:") : begin.stop - len(b"-->")]
    return Binding(
        reference=" ".join(reference.decode("utf-8", "replace").split()),
        text=data[begin.stop : end.start].decode("utf-8", "replace"),
        place=lines.place(begin.start),
        start=begin.start,
        text_start=begin.stop,
        text_stop=end.start,
        stop=end.stop,
    )
