"""Text that a reader sees as prose: code, comments, formulas, links and bound numbers left out."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vault_sync.prose.amount_patterns import find_amounts, unit_of
from vault_sync.prose.amounts import SPACE, read_number
from vault_sync.prose.bindings import find_bindings, read_tokens
from vault_sync.prose.passages import find_passages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from vault_sync.prose.amounts import NumberReading

ENCODED = ("utf-8", "surrogateescape")
"""How the bytes of a note become text, and text bytes again: any bytes do."""
_FIGURES = r"\d[\d., \u00a0\u202f]{0,20}"
_CURRENCY = r"(?:[€£¥]|\b(?:EUR|USD|CHF|CAD|GBP)\b)"
_FORMULA = r"\$\$.*?\$\$|(?<![\\$])\$(?=[^\s$])(?:[^$\r\n\\]|\\.){0,1000}?(?<=[^\s\\])\$(?!\d)"
_MARKUP = (
    r"!?\[\[[^\[\]\r\n]{0,400}\]\]|(?<=\])\([^()\r\n]{0,1000}\)"  # links
    r"|(?<=\])\[[^\[\]\r\n]{0,400}\]"
    r"|</?[A-Za-z!?][^<>\r\n]{0,1000}>|https?://[^\s)>]+|&\#?\w{1,31};"
    r"|\[[^\[\]\r\n]{0,300}@[^\[\]\r\n]{0,300}\]|\[\^[^\[\]\r\n]{0,300}\]"  # citations
    r"|%%.*?%%"  # comments
)
_MASKED = re.compile(f"{_FORMULA}|{_MARKUP}", re.DOTALL)
_FIELDS = re.compile(
    r"(?:\A|(?<=[\r\n]))[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[.\][ \t]+)?)?"
    r"[^\s:|()\[\]][^:\r\n|()\[\]]{0,60}::(?=[ \t\d])[^\r\n]*"
    r"|[\[(][^\[\]():\r\n]{1,60}::[^\[\]()\r\n]{0,300}[\])]"
)
"""Fields of Dataview, on a line of their own and within one."""
_PUBLICATIONS = re.compile(
    r"\bISBN\b[-: \d]{0,12}\d[\dX -]{8,20}|\bISSN\b[: ]*\d{4}-\d{3}[\dX]"
    r"|(?:\bdoi[: ]+)?\b10\.\d{4,9}/[^\s)>\]]+|\barxiv[: ]*\d{4}\.\d{4,5}(?:v\d+)?",
    re.IGNORECASE,
)
_MONEY = re.compile(
    rf"(?:\\?\$|{_CURRENCY})\s?{_FIGURES}(?:\s?(?:[kKM]|[Mm]illions?|[Mm]rd|[Mm]illiards?)\b)?"
    rf"|{_FIGURES}(?:(?:[kKM]|[Mm]illions?|[Mm]illiards?)[ \u00a0\u202f])?"
    rf"[ \u00a0\u202f]?(?:d'|de )?(?:{_CURRENCY}|\\?\$(?![\w\\({{])|(?:euros?|dollars?)\b)"
)
_ELSEWHERE = (
    (re.compile("::"), _FIELDS),
    (re.compile(r"ISBN|ISSN|arxiv|10\.\d{4}", re.IGNORECASE), _PUBLICATIONS),
    (re.compile(r"[$€£¥]|EUR|USD|CHF|CAD|GBP|euro|dollar"), _MONEY),
)
"""What shows that there is something to leave out, and what is left out then."""
_NAMES_A_PLACE = re.compile(
    r"(?:\bpp?\.|\bpages?|§{1,2}|\b(?:ch|chap|sec|sect|fig|tab|eq|éq|art|vol|no|n°|nº|réf|ref|al)\."
    r"|\b(?:chapters?|chapitres?|sections?|figures?|tables?|tableaux?|equations?|équations?"
    r"|appendix|annexes?|volume|lines?|lignes?|steps?|étapes?|phases?|weeks?|semaines?"
    r"|versions?|release|python|pytorch|torch|cuda|cudnn|onnx|opset|ubuntu|windows|level|item"
    r")|n°|nº)[\s\u00a0]?\Z",
    re.IGNORECASE,
)
"""What stands before a number of a page, a chapter, a version."""
_RATE = re.compile(r"(?<=G)(?:MACs?|FLOP[sS]?)\Z")
_SUGGESTED = frozenset(("", "%", "K", "M", "G", "s", "MB", "operations"))
"""Units of the numbers that a metric may be bound to."""
_DIGITS = re.compile(
    rb"(?<!\d)(?:\d{1,3}(?:(?:[ '_]|\xc2\xa0|\xe2\x80[\x87\x89\xaf\x99])\d{3})+(?!\d)"
    rb"|\d+(?:[.,]\d+)*)"
)
_OTHER = bytes(byte for byte in range(256) if byte not in b"0123456789")


@dataclass
class TextPassage:
    """The text of a paragraph, table row or list item; what is no prose in it is zero."""

    text: str
    start: int
    """Its offset in the note, in bytes."""
    raw: str
    """As the note has it, character for character."""
    marks: tuple[tuple[int, int, str], ...] = ()
    """Start, stop and kind of its code, comments and markers, in characters."""
    _latest: tuple[int, int] = field(default=(0, 0), compare=False)

    def offset(self, place: int) -> int:
        """Return the offset in the note of the character at PLACE; in order, in linear time."""
        character, at = self._latest if place >= self._latest[0] else (0, 0)
        at += len(self.raw[character:place].encode(*ENCODED))
        self._latest = (place, at)
        return self.start + at


@dataclass(frozen=True)
class PlainNumber:
    """A number that is bound to nothing."""

    text: str
    readings: tuple[NumberReading, ...]
    start: int
    stop: int


def read_passages(
    data: bytes, near: Sequence[int] | None = None, *, formulas: bool = False
) -> Iterator[TextPassage]:
    """Yield the prose of a note (around the offsets NEAR); nothing where its blocks are broken.

    With FORMULAS those that are a bare amount, such as `$97.3$`, are text.
    """
    bound = [(binding.start, binding.stop) for binding in find_bindings(data).numbers]
    starts = [start for start, _ in bound]
    for start, stop in find_passages(data).stretches:
        if near is not None and bisect_left(near, start) == bisect_left(near, stop):
            continue
        tokens = [(token.start, token.stop, token.kind) for token in read_tokens(data, start, stop)]
        here = bound[bisect_left(starts, start) : bisect_left(starts, stop)]
        dark = sorted([*tokens, *((*span, "bound") for span in here)])
        yield _passage(data, start, stop, dark, formulas=formulas)


def _passage(
    data: bytes, start: int, stop: int, dark: list[tuple[int, int, str]], *, formulas: bool
) -> TextPassage:
    """Decode a stretch, with everything that is no prose replaced by as many zero characters."""
    shown: list[str] = []
    raw: list[str] = []
    marks: list[tuple[int, int, str]] = []
    place, length = start, 0
    for begin, end, kind in [*dark, (stop, stop, "")]:
        if begin > place:
            raw.append(data[place:begin].decode(*ENCODED))
            shown.append(raw[-1])
            length += len(raw[-1])
            place = begin
        if end > place:
            raw.append(data[place:end].decode(*ENCODED))
            shown.append("\0" * len(raw[-1]))
            marks.append((length, length + len(raw[-1]), kind))
            length += len(raw[-1])
            place = end
    text = _MASKED.sub(_hide_all_but_amounts if formulas else _hide, "".join(shown))
    for sign, pattern in _ELSEWHERE:
        text = pattern.sub(_hide, text) if sign.search(text) else text
    return TextPassage(text, start, "".join(raw), tuple(marks))


def _hide(match: re.Match[str]) -> str:
    return "\0" * len(match[0])


def _hide_all_but_amounts(match: re.Match[str]) -> str:
    inner = match[0].strip("$")
    if match[0].startswith("$") and match[0].endswith("$") and inner:
        bare = inner.replace("\\,", "  ")
        amount = next(find_amounts(bare), None)
        if amount is not None and amount[0].strip() == bare.strip():
            return match[0].replace("$", "\0").replace("\\,", "  ")
    return _hide(match)


def find_numbers(data: bytes, known: Collection[bytes] | None = None) -> Iterator[PlainNumber]:
    """Yield the plain numbers of a note; with KNOWN those whose bare digits are among them.

    A sign belongs to its number; ranges and numbers with a spread are no single value.
    """
    near = [at.start() for at in _DIGITS.finditer(data) if _wanted(at[0], known)]
    if not near:
        return
    for passage in read_passages(data, near):
        for match in find_amounts(passage.text):
            at = passage.offset(match.start())
            end = at + len(match[0].encode(*ENCODED))
            known_here = bisect_left(near, at) < bisect_left(near, end)
            single = not (match["interval"] or match["range"])
            if single and known_here and not names_a_place(passage.text, match.start()):
                yield from _plain_number(match, at)


def names_a_place(text: str, start: int) -> bool:
    """Whether the number at START is that of a page, a figure, a chapter or a version."""
    return _NAMES_A_PLACE.search(text[max(0, start - 16) : start]) is not None


def _plain_number(match: re.Match[str], start: int) -> Iterator[PlainNumber]:
    """Yield the number at MATCH, with its unit where that belongs to the same words."""
    if (match["sign"] or "").strip() in ("±", "\\pm"):
        return
    unit = match["unit"] or ""
    apart = unit_of(unit) not in _SUGGESTED or any(mark in unit for mark in "*_=~")
    text = match[0].removesuffix(unit) if unit and apart else match[0]
    readings = tuple(read_number(_RATE.sub("", text)))
    if readings:
        stop = start + len(text.encode(*ENCODED))
        yield PlainNumber(text, readings, start, stop)


def _wanted(number: bytes, known: Collection[bytes] | None) -> bool:
    return known is None or number.translate(None, _OTHER) in known


def find_text(data: bytes, text: str) -> Iterator[tuple[int, int]]:
    """Yield where TEXT stands in prose, as a whole; any space fits a space.

    A number is no whole without the sign before it.
    """
    words = [re.escape(word) for word in re.split(f"{SPACE}+", text.strip())]
    number = text[:1].isdigit()
    edges = (r"(?<![\w.,])" if number else "", r"(?!\w|[.,]\d)")
    pattern = re.compile(f"{edges[0]}{f'{SPACE}+'.join(words)}{edges[1]}")
    for passage in read_passages(data):
        for match in pattern.finditer(passage.text):
            if not (number and _signed(passage.text, match.start())):
                yield passage.offset(match.start()), passage.offset(match.end())


def _signed(text: str, start: int) -> bool:
    """Whether the number at START has a sign before it; the dash of a range is none."""
    return _SIGNED.search(text[max(0, start - 4) : start]) is not None


_SIGNED = re.compile(r"(?:\A|[^\d%])(?:[±\u2212+][ \u00a0\u202f]?|[\u2013-])\Z")
