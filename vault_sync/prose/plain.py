"""Text that a reader sees as prose: code, comments, formulas, links and bound numbers left out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.prose.amounts import SPACE, UNITS, read_amounts
from vault_sync.prose.bindings import find_bindings, read_stretches
from vault_sync.prose.passages import find_passages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault_sync.prose.amounts import Amount

_MASKED = re.compile(
    rb"\$\$.*?\$\$"  # formulas
    rb"|(?<![\\$])\$(?=[^\s$])(?:[^$\r\n\\]|\\.)*?(?<=[^\s\\])\$(?!\d)"
    rb"|!?\[\[[^\]\r\n]*\]\]|(?<=\])\([^)\r\n]*\)|(?<=\])\[[^\]\r\n]*\]"  # links
    rb"|<[^>\r\n]*>|https?://[^\s)>]+"
    rb"|\[[^\]\r\n]*@[^\]\r\n]*\]|\[\^[^\]\r\n]*\]"  # citations, footnotes
    rb"|%%.*?%%",  # comments
    re.DOTALL,
)
_UNITS = "|".join([*(UNITS[key] for key in ("%", "K", "ms", "MB")), "M", r"G(?:MACs?|FLOPs?)?"])
_NUMBER = re.compile(
    r"(?<![\w.,/@#:^\\-])(?<!\d[\u00a0\u202f])"
    rf"(?:\d{{1,3}}(?:(?P<group>{SPACE}|[.,'’_])\d{{3}}(?:(?P=group)\d{{3}})*)(?![\d])|\d+)"
    rf"(?:[.,]\d+)?(?P<unit>{SPACE}?(?:{_UNITS})(?![\w%]))?(?![\w%]|[.,:/-]\d)"
)
_QUICK = re.compile(
    rb"\d[.,]\d|\d{5}|\d(?:[ '_.,]|\xc2\xa0|\xe2\x80[\x89\xaf\x99])\d{3}|\d ?[kKM]\b"
)


@dataclass(frozen=True)
class Passage:
    """A paragraph, table row or list item; what is no prose in it is blotted out."""

    text: str
    start: int
    """Its offset in the note, in bytes."""

    def offset(self, place: int) -> int:
        """Return the offset in the note of the character at PLACE."""
        return self.start + len(self.text[:place].encode("utf-8", "surrogateescape"))


@dataclass(frozen=True)
class Plain:
    """A number that is bound to nothing."""

    text: str
    amounts: tuple[Amount, ...]
    start: int
    stop: int


def read_passages(data: bytes) -> Iterator[Passage]:
    """Yield the prose of a note; nothing where its block markers are broken."""
    bound = [(one.start, one.stop) for one in find_bindings(data).numbers]
    for start, stop in find_passages(data).stretches:
        dark = [(one.start, one.stop) for one in read_stretches(data, start, stop)]
        dark += [one for one in bound if start <= one[0] < stop]
        yield Passage(_blotted(data, start, stop, dark).decode("utf-8", "surrogateescape"), start)


def may_hold_numbers(data: bytes) -> bool:
    """Whether a note may hold a number worth a suggestion: a quick look that misses none."""
    return _QUICK.search(data) is not None


def find_numbers(data: bytes) -> Iterator[Plain]:
    """Yield the plain numbers of a note that are more than a count, a year or a heading's."""
    if not may_hold_numbers(data):
        return
    for passage in read_passages(data):
        for match in _NUMBER.finditer(passage.text):
            amounts = tuple(read_amounts(re.sub(r"(?:MACs?|FLOPs?)\Z", "", match[0])))
            if amounts:
                start = passage.offset(match.start())
                stop = passage.offset(match.end())
                yield Plain(match[0], amounts, start, stop)


def find_text(data: bytes, text: str) -> Iterator[tuple[int, int]]:
    """Yield where TEXT stands in prose, as a whole; any space fits a space."""
    words = [re.escape(word) for word in re.split(f"{SPACE}+", text.strip())]
    edges = (r"(?<![\w.,])" if text[:1].isdigit() else "", r"(?!\w|[.,]\d)")
    pattern = re.compile(f"{edges[0]}{f'{SPACE}+'.join(words)}{edges[1]}")
    for passage in read_passages(data):
        for match in pattern.finditer(passage.text):
            yield passage.offset(match.start()), passage.offset(match.end())


def _blotted(data: bytes, start: int, stop: int, dark: list[tuple[int, int]]) -> bytes:
    """Return a stretch with everything that is no prose replaced by as many zero bytes."""
    text = bytearray(data[start:stop])
    for begin, end in dark:
        text[begin - start : end - start] = bytes(end - begin)
    return _MASKED.sub(lambda match: bytes(len(match[0])), bytes(text))
