"""Plain numbers that read like results, and what backs each: nothing, a citation, or a mark."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from vault_sync.prose.amount_patterns import find_amounts, unit_of
from vault_sync.prose.amounts import read_number
from vault_sync.prose.backing import cited_footnotes, covers_what_follows, find_backings
from vault_sync.prose.bindings import LineIndex
from vault_sync.prose.plain import ENCODED, names_a_place, read_passages
from vault_sync.prose.results import (
    REACH,
    Surroundings,
    WordPlaces,
    WrittenAmount,
    may_be_result,
    reads_as,
)
from vault_sync.prose.sentences import Span, is_ruler, split_cells, split_sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vault_sync.engine.notes import Note
    from vault_sync.prose.backing import Backing
    from vault_sync.prose.bindings import BindingPlace
    from vault_sync.prose.plain import TextPassage

_PREFIX = re.compile(
    r"(?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?:\[[ xX]\][ \t]+)?"
    r"(?P<heading>#{1,6}[ \t]+(?:\d+(?:\.\d+)*[.):]?[ \t]+(?![\\%×]|(?:ms|M[Bo]|FPS|[kKMG])\b))?)?"
)
"""Quote marks, the number of a list item, a heading's own number."""
_SIMPLE = re.compile(r"(\d+)(?:[.,](\d{1,2}|\d{4,}))?")
_FIGURES = re.compile(r"\d+(?:[.,]\d+)?")
_DIGIT = re.compile(rb"\d")
_DIGIT_TEXT = re.compile(r"\d")


@dataclass(frozen=True)
class ResultNumber:
    """A plain number that reads like a result."""

    text: str
    kind: str
    """What it reads like; one of `results.KINDS`."""
    backing: str
    """`cited`, `own`, or empty where nothing backs it."""
    start: int
    """Offset in the note, in bytes."""
    stop: int


@dataclass(frozen=True)
class PlainResult:
    """A plain number of a note that reads like a result."""

    note: str
    """Path from the vault."""
    place: BindingPlace
    number: ResultNumber

    @property
    def where(self) -> str:
        """Return `note:line:column`, as editors take it."""
        return f"{self.note}:{self.place.line}:{self.place.column}"

    @property
    def backing(self) -> str:
        """`cited`, `own`, or empty where nothing backs it."""
        return self.number.backing


@dataclass(frozen=True)
class _Table:
    """What the first row of a table says above each column; empty outside of tables."""

    heads: tuple[str, ...] = ()
    backed: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """A number that reads like a result, in characters of its passage."""

    match: re.Match[str]
    kind: str
    backing: str


def find_results(data: bytes) -> Iterator[ResultNumber]:
    """Yield the plain numbers of a note that read like results, in order; any bytes do.

    Example: ``97.3 % AP`` holds one with kind ``percentage``; with ``[@kim]`` in the same sentence
    its backing is ``cited``.
    """
    if _DIGIT.search(data) is None:
        return
    passages = list(read_passages(data, formulas=True))
    cited_notes = cited_footnotes(passages) if b"[^" in data else frozenset()
    owned = _Owned(data)
    table = _Table()
    for passage in passages:
        own, goes_on = owned.take(passage)
        is_row = passage.raw.lstrip(" \t>").startswith("|")
        table = table if is_row and goes_on else _Table()
        backings = find_backings(passage, cited_notes)
        if is_row:
            found, table = _row(passage.text, Span(0, len(passage.text)), backings, table)
        else:
            found = list(_paragraph(passage, backings))
        for one in found:
            start = passage.offset(one.match.start())
            stop = start + len(passage.raw[slice(*one.match.span())].encode(*ENCODED))
            yield ResultNumber(one.match[0], one.kind, "own" if own else one.backing, start, stop)


def results_of(note: Note) -> Iterator[PlainResult]:
    """Yield the numbers of `find_results` with note, line and column."""
    lines = LineIndex(note.data)
    for number in find_results(note.data):
        yield PlainResult(note.path, lines.place(number.start), number)


class _Owned:
    """Follows the marks that stand alone on a line: each covers what follows to a blank line."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.stop = -1
        self.active = False
        self.waiting = False
        """Whether the latest passage was nothing but a mark."""

    def take(self, passage: TextPassage) -> tuple[bool, bool]:
        """Return whether PASSAGE is the student's own, and whether no blank line precedes it."""
        between = self.data[self.stop : passage.start] if self.stop >= 0 else b"x"
        goes_on = not between
        if covers_what_follows(passage):
            self.active = True
            self.waiting = not passage.text.strip("\0 \t\r\n>")
        elif self.waiting:
            self.active, self.waiting = not between.strip(), False
        else:
            self.active = self.active and goes_on
        self.stop = passage.start + len(passage.raw.encode(*ENCODED))
        return self.active, goes_on


def _paragraph(passage: TextPassage, backings: Sequence[Backing]) -> Iterator[_Found]:
    """Yield the results of a paragraph, a heading or a list item."""
    text = passage.text
    prefix = _PREFIX.match(text)
    first = prefix.end() if prefix else 0
    heading = bool(prefix and prefix["heading"])
    if "|" in text and any(is_ruler(line) for line in text.splitlines()):
        yield from _bare_table(text, backings)
        return
    places = WordPlaces(text)
    for sentence in split_sentences(text):
        if _DIGIT_TEXT.search(text, sentence.start, sentence.stop) is None:
            continue
        backing = _within(backings, sentence)
        for match in find_amounts(text, max(first, sentence.start), sentence.stop):
            around = Surroundings(
                places, *match.span(), sentence.start, sentence.stop, heading=heading
            )
            if kind := _kind(match, around):
                yield _Found(match, kind, backing)


def _bare_table(text: str, backings: Sequence[Backing]) -> Iterator[_Found]:
    """Yield the results of a table whose rows begin without a bar."""
    table, place = _Table(), 0
    for line in text.splitlines(keepends=True):
        found, table = _row(text, Span(place, place + len(line)), backings, table)
        yield from found
        place += len(line)


def _row(
    text: str, row: Span, backings: Sequence[Backing], table: _Table
) -> tuple[list[_Found], _Table]:
    """Return the results of one row, and the table as the next row needs it."""
    line = text[row.start : row.stop]
    if is_ruler(line):
        return [], table
    cells = [Span(row.start + cell.start, row.start + cell.stop) for cell in split_cells(line)]
    words = tuple(text[cell.start : cell.stop].strip(" \t>|") for cell in cells)
    if not table.heads:
        table = _Table(words, tuple(_within(backings, cell) for cell in cells))
        return list(_cells(text, cells, words, _Table(), _within(backings, row))), table
    return list(_cells(text, cells, words, table, _within(backings, row))), table


def _cells(
    text: str, cells: Sequence[Span], words: Sequence[str], table: _Table, backing: str
) -> Iterator[_Found]:
    places = WordPlaces(text)
    for number, cell in enumerate(cells):
        head = table.heads[number] if number < len(table.heads) else ""
        backed = table.backed[number] if number < len(table.backed) else ""
        heads = " | ".join(filter(None, (head, words[0] if number else "")))[:REACH].lower()
        for match in find_amounts(text, cell.start, cell.stop):
            around = Surroundings(places, *match.span(), cell.start, cell.stop, heads)
            if kind := _kind(match, around):
                yield _Found(match, kind, backing or backed)


def _within(backings: Sequence[Backing], span: Span) -> str:
    """Return the kind of the first backing within SPAN, the student's own mark before others."""
    first = bisect_left(backings, span.start, key=lambda backing: backing.at)
    last = bisect_left(backings, span.stop, key=lambda backing: backing.at)
    kinds = {backing.kind for backing in backings[first:last]}
    return "own" if "own" in kinds else "cited" if kinds else ""


def _kind(match: re.Match[str], around: Surroundings) -> str:
    """Return what the amount at MATCH reads like; each way to read its figures is tried."""
    unit = unit_of(match["unit"])
    if not may_be_result(unit, around) or names_a_place(match.string, match.start()):
        return ""
    for value, places, powered in _values(_first_figures(match)):
        amount = WrittenAmount(
            value=value,
            places=places,
            unit=unit,
            unit_text=(match["unit"] or "").strip("*_=~ \u00a0\u202f"),
            powered=powered,
        )
        if kind := reads_as(amount, around):
            return kind
    return ""


def _values(figures: str) -> list[tuple[Decimal, int, bool]]:
    """Return the values that FIGURES may have, with their decimals and whether a power is taken."""
    if plain := _SIMPLE.fullmatch(figures):  # most are: no thousands apart, no power of ten
        decimals = plain[2] or ""
        return [(Decimal(f"{plain[1]}.{decimals or 0}"), len(decimals), False)]
    readings = reversed(read_number(figures))
    return [(abs(reading.value), reading.places, not reading.plain) for reading in readings]


def _first_figures(match: re.Match[str]) -> str:
    """Return the number of an amount, of a range the first; without its sign."""
    first = _FIGURES.search(match["interval"] or "")
    figures = str(match["number"] or (first[0] if first else ""))
    return figures.replace("{,}", ",")
