"""Sentences of a paragraph and cells of a table: how far a word, a citation or a mark reaches."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_END = re.compile(
    r"(?P<stop>[.!?…])[\"'»”’)\]*_\0]{0,200}(?P<gap>[ \t\r\n\u00a0]+)"
    r"(?P<after>\0[\0 \t]{0,400})?(?=(?P<next>\S)|\s*\Z)"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:al|fig|figs|cf|pp?|vs|env|approx|resp|eq|éq|tab|sec|chap|ch|etc|no|vol|réf|ref|ex|dr"
    r"|mr|mme|st|e\.g|i\.e|c\.-à-d|art|max|min|moy|nb)|(?<!\w)[A-Z])\Z",
    re.IGNORECASE,
)
_BAR = re.compile(r"(?<!\\)\|")
_RULER = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t\r\n]*")


@dataclass(frozen=True)
class Span:
    """A part of a passage, in characters."""

    start: int
    stop: int


def split_sentences(text: str) -> Iterator[Span]:
    """Yield the sentences of TEXT; a mark or citation behind the full stop belongs to it.

    Example: ``It is 82.5 % (cf. there). We go.`` has two.
    """
    start = 0
    for match in _END.finditer(text):
        before = text[max(0, match.start() - 8) : match.start()]
        if match["stop"] == "." and _ABBREVIATION.search(before):
            continue
        goes_on = (match["next"] or "").islower()
        if goes_on and not match["after"]:
            continue
        yield Span(start, match.end("gap") if goes_on else match.end())
        start = match.end("gap") if goes_on else match.end()
    if start < len(text):
        yield Span(start, len(text))


def split_cells(line: str) -> list[Span]:
    """Return the cells of a table's row, those at the edges without what stands before a bar."""
    bars = [match.start() for match in _BAR.finditer(line)]
    edges = [-1, *bars, len(line.rstrip("\r\n"))]
    cells = [Span(left + 1, right) for left, right in itertools.pairwise(edges)]
    if bars and not line[: bars[0]].strip(" \t>"):
        cells = cells[1:]
    if bars and not line[bars[-1] + 1 :].strip():
        cells = cells[:-1]
    return cells


def is_ruler(line: str) -> bool:
    """Whether LINE is the line of dashes below the header of a table."""
    return "-" in line and "|" in line and _RULER.fullmatch(line) is not None
