"""Whether an amount reads like a result, by its unit and by the words around it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.prose.result_words import (
    INTERVAL,
    LEVEL,
    LINKED,
    NOT_LINKED,
    SHARE_OF_DATA,
    WORDS,
)

if TYPE_CHECKING:
    from decimal import Decimal

NEAR = 45
"""Characters within which a word speaks of a number."""
LINK = 30
"""Characters within which a setting is that of a number."""
REACH = 400
"""Characters of a sentence to either side of a number that are looked at."""
_LOOSE = re.compile(r"[ \0\u00a0\u202f*_]*")
_SIZES = frozenset((8, 16, 32, 64))
MANY = 1000
"""Parameters from which a count reads like that of a network."""


class WordPlaces:
    """Where the words of each kind of WORDS stand in a text; each kind is looked for once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lower = text.lower() if len(text.lower()) == len(text) else _lower(text)
        self._places: dict[str, tuple[list[int], list[int]]] = {}

    def last(self, kind: str, start: int, stop: int) -> tuple[int, int] | None:
        """Return start and stop of the last word of KIND that lies between two characters."""
        starts, stops = self._places.get(kind) or self._find(kind)
        at = bisect_right(stops, stop) - 1
        return (starts[at], stops[at]) if at >= 0 and starts[at] >= start else None

    def at(self, kind: str, start: int) -> bool:
        """Whether a word of KIND begins at a character."""
        starts, _ = self._places.get(kind) or self._find(kind)
        at = bisect_left(starts, start)
        return at < len(starts) and starts[at] == start

    def _find(self, kind: str) -> tuple[list[int], list[int]]:
        spans = [match.span() for match in WORDS[kind].finditer(self.lower)]
        self._places[kind] = ([start for start, _ in spans], [stop for _, stop in spans])
        return self._places[kind]


def _lower(text: str) -> str:
    """Return TEXT in lower case, as many characters as it has."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The words around an amount."""

    places: WordPlaces
    start: int
    """Of the amount."""
    stop: int
    first: int
    """Of the sentence or cell that the amount stands in."""
    last: int
    heads: str = ""
    """Of a cell: the head of its column and the first cell of its row; in lower case."""
    heading: bool = False

    def before(self, kind: str, reach: int = NEAR) -> tuple[int, int] | None:
        """Return where the last word of KIND stands within REACH before the amount."""
        return self.places.last(kind, max(self.first, self.start - reach), self.start)

    def after(self, kind: str, reach: int) -> bool:
        """Whether a word of KIND stands within REACH behind the amount."""
        return self.places.last(kind, self.stop, min(self.last, self.stop + reach)) is not None

    def follows(self, kind: str) -> bool:
        """Whether a word of KIND comes next after the amount."""
        loose = _LOOSE.match(self.places.text, self.stop, self.last)
        return self.places.at(kind, loose.end() if loose else self.stop)

    def around(self, kind: str) -> bool:
        """Whether a word of KIND stands in the sentence, or in what heads the cell."""
        first, last = max(self.first, self.start - REACH), min(self.last, self.stop + REACH)
        return self.places.last(kind, first, last) is not None or self.headed(kind)

    def headed(self, kind: str) -> bool:
        """Whether a word of KIND heads the cell."""
        return bool(self.heads) and WORDS[kind].search(self.heads) is not None

    def matches_behind(self, pattern: re.Pattern[str]) -> bool:
        """Whether PATTERN matches right behind the amount."""
        return pattern.match(self.places.text, self.stop, self.last) is not None

    def matches_before(self, pattern: re.Pattern[str]) -> bool:
        """Whether PATTERN, which matches at an end, does so right before the amount."""
        first = max(self.first, self.start - NEAR)
        return pattern.search(self.places.text, first, self.start) is not None

    def setting(self) -> tuple[int, int] | None:
        """Return where the word stands for something chosen whose value the amount is."""
        place = self.before("setting", LINK)
        linked = place and not NOT_LINKED.search(self.places.lower, place[1], self.start)
        return place if linked else None


@dataclass(frozen=True)
class WrittenAmount:
    """An amount as a reader takes it."""

    value: Decimal
    places: int
    unit: str
    """A key of `amount_patterns.UNIT`."""
    unit_text: str = ""
    powered: bool = False


def may_be_result(unit: str, around: Surroundings) -> bool:
    """Whether an amount can be a result at all: a quick look, which most numbers do not pass."""
    if unit:
        return True
    if around.heading:
        return False
    return bool(around.heads or around.before("any")) or around.follows("any")


def reads_as(amount: WrittenAmount, around: Surroundings) -> str:
    """Return what kind of result AMOUNT reads like; empty where it reads like none.

    The kinds are those of KINDS.
    """
    if amount.unit:
        return _BY_UNIT[amount.unit](amount, around)
    return "" if around.heading else _bare(amount, around)


def _percentage(amount: WrittenAmount, around: Surroundings) -> str:
    if around.matches_behind(INTERVAL) or around.matches_behind(SHARE_OF_DATA):
        return ""
    if _is_setting(around) or around.matches_before(LEVEL):
        return ""
    trivial = amount.value in (0, 100) and not amount.places
    told = not trivial or around.around("result") or around.around("best")
    return "percentage" if told else ""


def _points(amount: WrittenAmount, around: Surroundings) -> str:
    return "difference" if amount.unit_text == "pp" or around.around("score") else ""


def _rate(amount: WrittenAmount, around: Surroundings) -> str:
    del amount
    return "" if _is_setting(around) else "speed"


def _operations(amount: WrittenAmount, around: Surroundings) -> str:
    del amount, around
    return "operations"


def _size(amount: WrittenAmount, around: Surroundings) -> str:
    del amount
    return "" if _is_setting(around) else "size"


def _time(amount: WrittenAmount, around: Surroundings) -> str:
    if _is_setting(around):
        return ""
    seconds = re.fullmatch(r"s|sec|seconde?s?", amount.unit_text.lower())
    told = not seconds or around.around("cost") or around.around("compared")
    return "latency" if told else ""


def _factor(amount: WrittenAmount, around: Surroundings) -> str:
    del amount
    compared = (
        around.after("compared", 40) or around.before("compared", 25) or around.headed("compared")
    )
    return "factor" if compared else ""


def _thousands(amount: WrittenAmount, around: Surroundings) -> str:
    if amount.unit == "G":
        return "operations" if around.around("cost") else ""
    return "parameters" if around.around("count") and not _is_setting(around) else ""


def _bare(amount: WrittenAmount, around: Surroundings) -> str:
    """Judge a number without a unit by the words next to it."""
    if amount.powered:
        return "error" if _speaks("error", around) else ""
    if amount.value >= MANY:
        return "parameters" if around.follows("count") or _speaks("count", around) else ""
    if amount.value > 100:
        return ""
    return _decimals(amount, around) if amount.places else _whole_score(amount, around)


def _decimals(amount: WrittenAmount, around: Surroundings) -> str:
    best = amount.places > 1 and _speaks("best", around)
    if best or _speaks("score", around):
        return "score"
    return "cost" if _speaks("cost", around) else ""


def _whole_score(amount: WrittenAmount, around: Surroundings) -> str:
    """Judge two digits that a score names, as in `AP of 87`, or that name it, as in `87 mAP`."""
    if amount.value < 10 or (amount.value in _SIZES and around.matches_behind(_BITS)):
        return ""
    if around.follows("score"):
        return "score"
    if around.heads:
        return "score" if around.headed("score") and not around.headed("setting") else ""
    latest = around.before("score")
    linked = latest and LINKED.fullmatch(around.places.lower, latest[1], around.start)
    return "score" if linked and amount.value not in _SIZES else ""


def _speaks(kind: str, around: Surroundings) -> bool:
    """Whether a word of KIND stands next to the amount with no setting nearer than it."""
    latest, setting = around.before(kind), around.setting()
    if around.heads:
        return bool(latest or around.headed(kind)) and not around.headed("setting")
    nearer = latest is not None and (setting is None or setting[1] <= latest[0])
    return nearer or around.follows(kind)


def _is_setting(around: Surroundings) -> bool:
    """Whether a word for something chosen stands nearer to the amount than one for a result."""
    if around.headed("setting") and not around.headed("result"):
        return True
    setting = around.setting()
    if setting is not None:
        result = around.before("result")
        return result is None or result[1] <= setting[0]
    return around.follows("setting")


_BITS = re.compile(r"[ -]?bits?\b")
_BY_UNIT = {
    "%": _percentage,
    "p": _points,
    "rate": _rate,
    "operations": _operations,
    "MB": _size,
    "s": _time,
    "factor": _factor,
    "K": _thousands,
    "M": _thousands,
    "G": _thousands,
}
KINDS = (
    "percentage", "difference", "speed", "operations", "size", "latency", "factor", "parameters",
    "error", "score", "cost",
)  # fmt: skip
