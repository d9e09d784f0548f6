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
class Place:
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
    place: Place
    start: int
    """Offset of the opening comment."""
    text_start: int
    text_stop: int
    stop: int
    """Offset just after the closing comment."""


@dataclass(frozen=True)
class Fault:
    """A comment that binds nothing because something is wrong with it."""

    place: Place
    reason: str
    text: str = ""


@dataclass(frozen=True)
class Bindings:
    """The bound numbers of a note, in order, and what is broken."""

    numbers: tuple[Binding, ...] = ()
    faults: tuple[Fault, ...] = ()


REASONS = {
    "blocks": "the markers of a generated block are broken here; its numbers were not looked at",
    "fence": "a code fence opens here, is never closed and swallows bound numbers",
    "malformed": "this comment can't be read; write <!--t:RUN METRIC FORMAT-->82.5 %<!--/t-->",
    "nested": "a bound number begins inside another one",
    "no-begin": "a bound number ends here but never began in this paragraph",
    "no-end": "a bound number begins here and does not end in this paragraph: <!--/t--> is missing",
}


@dataclass(frozen=True)
class Stretch:
    """A part of a note that is read in one way."""

    kind: str
    """`code`, `comment`, `begin`, `end` or `broken`."""
    start: int
    stop: int


@dataclass
class _Lines:
    """Where lines begin, counted when first asked."""

    data: bytes
    starts: list[int] = field(default_factory=list)

    def place(self, offset: int) -> Place:
        if not self.starts:
            ends = re.finditer(rb"\r\n|\n|\r", self.data)
            self.starts = [0, *(match.end() for match in ends)]
        line = bisect_right(self.starts, offset)
        before = self.data[self.starts[line - 1] : offset].removeprefix(b"\xef\xbb\xbf")
        return Place(line, len(before.decode("utf-8", "replace")) + 1)


def may_hold(data: bytes) -> bool:
    """Whether a note may hold bound numbers: a quick look that misses none."""
    return _ANY.search(data) is not None


def place_of(data: bytes, offset: int) -> Place:
    """Return line and column of an offset."""
    return _Lines(data).place(offset)


def find_bindings(data: bytes) -> Bindings:
    """Find the bound numbers of a note; any bytes do."""
    if not may_hold(data):
        return Bindings()
    passages = find_passages(data)
    lines = _Lines(data)
    if passages.faults:
        return Bindings((), tuple(Fault(Place(at, 1), "blocks") for at in passages.faults))
    numbers: list[Binding] = []
    faults = list(_swallowed(data, passages, lines))
    for start, stop in passages.stretches:
        if data.find(b"<!--", start, stop) >= 0:
            _pair(data, read_stretches(data, start, stop), lines, numbers, faults)
    faults.sort(key=lambda fault: (fault.place.line, fault.place.column))
    return Bindings(tuple(numbers), tuple(faults))


def read_stretches(data: bytes, start: int, stop: int) -> Iterator[Stretch]:
    """Yield code spans, comments and markers between two offsets of one passage, in order."""
    place = start
    while (match := _STEP.search(data, place, stop)) is not None:
        found = _read(data, match, stop)
        place = match.end() if found is None else found.stop
        if found is not None:
            yield found


def _read(data: bytes, match: re.Match[bytes], stop: int) -> Stretch | None:
    at = match.start()
    if match[0].startswith(b"\\"):
        return None
    if match[0].startswith(b"`"):
        close = re.compile(rb"(?<!`)" + match[0] + rb"(?!`)").search(data, match.end(), stop)
        return Stretch("code", at, close.end()) if close else None
    if data.startswith(END, at):
        return Stretch("end", at, at + len(END))
    if begin := _BEGIN.match(data, at, stop):
        return Stretch("begin", at, begin.end())
    if nearly := _NEARLY.match(data, at, stop):
        return Stretch("broken", at, nearly.end())
    close_at = data.find(b"-->", at + 4, stop)
    return Stretch("comment", at, close_at + 3) if close_at >= 0 else None


def _swallowed(data: bytes, passages: Passages, lines: _Lines) -> Iterator[Fault]:
    for start in passages.hidden:
        if _ANY.search(data, start):
            yield Fault(lines.place(start), "fence")


def _pair(
    data: bytes,
    stretches: Iterable[Stretch],
    lines: _Lines,
    numbers: list[Binding],
    faults: list[Fault],
) -> None:
    """Match opening and closing comments of one passage."""
    opened: list[Stretch] = []
    nested = False

    def fault(stretch: Stretch, reason: str) -> None:
        text = data[stretch.start : stretch.stop].decode("utf-8", "replace")
        faults.append(Fault(lines.place(stretch.start), reason, text))

    for one in stretches:
        if one.kind == "broken":
            fault(one, "malformed")
        elif one.kind == "begin":
            if opened:
                nested = True
                fault(one, "nested")
            opened.append(one)
        elif one.kind == "end" and not opened:
            fault(one, "no-begin")
        elif one.kind == "end":
            begin = opened.pop()
            if not nested:
                numbers.append(_bound(data, begin, one, lines))
            nested = nested and bool(opened)
    if opened:
        fault(opened[0], "no-end")


def _bound(data: bytes, begin: Stretch, end: Stretch, lines: _Lines) -> Binding:
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
