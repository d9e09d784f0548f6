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
_ANY = re.compile(rb"<!--[ \t]*/?t(?::|[ \t]*-->)")
_STEP = re.compile(rb"\\.|`+|<!--", re.DOTALL)
_BEGIN = re.compile(rb"<!--t:((?:(?!-->|<!--)[^\r\n])*)-->")
_NEARLY = re.compile(rb"<!--(?:t:|[ \t]+t:\S|[ \t]*/[ \t]*t[ \t]*-->)")


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
    """`code`, `comment`, `begin`, `end` or `broken`."""
    start: int
    stop: int


@dataclass
class _LineIndex:
    """The offsets of line starts, computed at the first look-up."""

    data: bytes
    starts: list[int] = field(default_factory=list)

    def place(self, offset: int) -> BindingPlace:
        if not self.starts:
            ends = re.finditer(rb"\r\n|\n|\r", self.data)
            self.starts = [0, *(match.end() for match in ends)]
        line = bisect_right(self.starts, offset)
        before = self.data[self.starts[line - 1] : offset].removeprefix(b"\xef\xbb\xbf")
        return BindingPlace(line, len(before.decode("utf-8", "replace")) + 1)


def may_hold(data: bytes) -> bool:
    """Whether a note may hold bound numbers: a quick look that misses none."""
    return _ANY.search(data) is not None


def place_of(data: bytes, offset: int) -> BindingPlace:
    """Return line and column of an offset."""
    return _LineIndex(data).place(offset)


def find_bindings(data: bytes) -> Bindings:
    """Find the bound numbers of a note; any bytes do.

    Example: ``reaches <!--t:v2 widerface.hard.ap-->82.5 %<!--/t-->`` holds a number with
    reference ``v2 widerface.hard.ap`` and text ``82.5 %``.
    """
    if not may_hold(data):
        return Bindings()
    passages = find_passages(data)
    lines = _LineIndex(data)
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
    place = start
    while (match := _STEP.search(data, place, stop)) is not None:
        token = _read_token(data, match, stop)
        place = match.end() if token is None else token.stop
        if token is not None:
            yield token


def _read_token(data: bytes, match: re.Match[bytes], stop: int) -> InlineToken | None:
    at = match.start()
    if match[0].startswith(b"\\"):
        return None
    if match[0].startswith(b"`"):
        close = re.compile(rb"(?<!`)" + match[0] + rb"(?!`)").search(data, match.end(), stop)
        return InlineToken("code", at, close.end()) if close else None
    if data.startswith(END, at):
        return InlineToken("end", at, at + len(END))
    if begin := _BEGIN.match(data, at, stop):
        return InlineToken("begin", at, begin.end())
    if nearly := _NEARLY.match(data, at, stop):
        return InlineToken("broken", at, nearly.end())
    close_at = data.find(b"-->", at + 4, stop)
    return InlineToken("comment", at, close_at + 3) if close_at >= 0 else None


def _swallowed(data: bytes, passages: Passages, lines: _LineIndex) -> Iterator[BindingError]:
    for start in passages.hidden:
        if _ANY.search(data, start):
            yield BindingError(lines.place(start), "fence")


def _pair(
    data: bytes,
    tokens: Iterable[InlineToken],
    lines: _LineIndex,
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


def _bound(data: bytes, begin: InlineToken, end: InlineToken, lines: _LineIndex) -> Binding:
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
