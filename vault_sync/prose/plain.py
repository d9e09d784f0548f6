"""Text that a reader sees as prose: code, comments, formulas, links and bound numbers left out."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.prose.amounts import SPACE, UNITS, read_number
from vault_sync.prose.bindings import find_bindings, read_tokens
from vault_sync.prose.passages import find_passages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from vault_sync.prose.amounts import NumberReading

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
_RATE = re.compile(r"(?:MACs?|FLOPs?)\Z")
_DIGITS = re.compile(
    rb"(?<!\d)(?:\d{1,3}(?:(?:[ '_]|\xc2\xa0|\xe2\x80[\x87\x89\xaf\x99])\d{3})+(?!\d)"
    rb"|\d+(?:[.,]\d+)*)"
)
_OTHER = bytes(byte for byte in range(256) if byte not in b"0123456789")


@dataclass(frozen=True)
class TextPassage:
    """The text of a paragraph, table row or list item; what is no prose in it is zero bytes."""

    text: str
    start: int
    """Its offset in the note, in bytes."""

    def offset(self, place: int) -> int:
        """Return the offset in the note of the character at PLACE."""
        return self.start + len(self.text[:place].encode("utf-8", "surrogateescape"))


@dataclass(frozen=True)
class PlainNumber:
    """A number that is bound to nothing."""

    text: str
    readings: tuple[NumberReading, ...]
    start: int
    stop: int


def read_passages(data: bytes, near: Sequence[int] | None = None) -> Iterator[TextPassage]:
    """Yield the prose of a note (around the offsets NEAR); nothing where its blocks are broken."""
    bound = [(binding.start, binding.stop) for binding in find_bindings(data).numbers]
    for start, stop in find_passages(data).stretches:
        if near is not None and bisect_left(near, start) == bisect_left(near, stop):
            continue
        dark = [(token.start, token.stop) for token in read_tokens(data, start, stop)]
        dark += [span for span in bound if start <= span[0] < stop]
        yield TextPassage(
            _blotted(data, start, stop, dark).decode("utf-8", "surrogateescape"), start
        )


def find_numbers(data: bytes, known: Collection[bytes] | None = None) -> Iterator[PlainNumber]:
    """Yield the plain numbers of a note; with KNOWN those whose bare digits are among them."""
    near = [at.start() for at in _DIGITS.finditer(data) if _wanted(at[0], known)]
    if not near:
        return
    for passage in read_passages(data, near):
        for match in _NUMBER.finditer(passage.text):
            readings = tuple(read_number(_RATE.sub("", match[0])))
            if readings:
                start = passage.offset(match.start())
                stop = passage.offset(match.end())
                yield PlainNumber(match[0], readings, start, stop)


def _wanted(number: bytes, known: Collection[bytes] | None) -> bool:
    return known is None or number.translate(None, _OTHER) in known


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
