"""Sentences with their values filled in, as reports, plots and the terminal share them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from experiments.wording.catalogue import fill, find
from experiments.wording.numbers import HARD, format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_DETAILS = 3
"""Details that a sentence lists."""


@runtime_checkable
class Worded(Protocol):
    """A value that words itself in either language."""

    def text(self, language: str) -> str:
        """Return its words in LANGUAGE."""


@dataclass(frozen=True)
class Amount:
    """A number of a claim, as it reads beside another one that it must not look equal to."""

    value: float
    unit: str = ""
    signed: bool = False
    """Whether it is a difference: percentages differ by points."""
    places: int = 1

    def text(self, language: str = "en") -> str:
        """Return the number with its unit."""
        sign = "+" if self.signed else ""
        if self.unit in ("fraction", "points"):
            kind = "p" if self.signed or self.unit == "points" else "%"
            return format_number(self.value, f"{sign}.{self.places}{kind}", language)
        if self.unit == "MACs":
            return format_number(self.value, f"{sign}.{self.places + 2}G", language)
        if self.unit == "parameters" or (self.value.is_integer() and abs(self.value) >= 1000):
            return format_number(self.value, f"{sign},.0f", language)
        text = format_number(self.value, f"{sign}.{self.places + 3}g", language)
        unit = find("unit", self.unit, language)
        return f"{text}{HARD}{unit}" if unit else text

    def beside(self, other: Amount) -> Amount:
        """Return this amount with as many places as tell it from OTHER."""
        for places in range(1, 6):
            mine, its = (
                Amount(amount.value, amount.unit, amount.signed, places) for amount in (self, other)
            )
            if mine.value == its.value or mine.text() != its.text():
                return mine
        return mine


@dataclass(frozen=True)
class Sentence:
    """A phrase of one table of the catalogue and its values, to be said in either language."""

    TABLE: ClassVar[str]

    code: str
    """The phrase's name in the table."""
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """Return the sentence in LANGUAGE."""
        return say(f"{self.TABLE}.{self.code}", language, **self.values)


def say(key: str, language: str, /, **values: object) -> str:
    """Return the phrase KEY in LANGUAGE, its numbers and terms worded for it.

    >>> say("seeds.mean", "fr", n=1200)
    'moyenne de 1\u202f200'

    Raises:
        PhraseError: the catalogue has no such phrase, or it needs another value.
    """
    return fill(key, language, {name: _word(value, language) for name, value in values.items()})


def listed(details: Sequence[str], language: str) -> str:
    """Return the first DETAILS, and how many more there are; empty for none."""
    shown = ", ".join(details[:MAX_DETAILS])
    rest = len(details) - MAX_DETAILS
    return say("change.more", language, shown=shown, n=rest) if rest > 0 else shown


def _word(value: object, language: str) -> str:
    if isinstance(value, str):
        return find("term", value, language) or value
    if isinstance(value, Worded):
        return value.text(language)
    if isinstance(value, tuple):
        return ", ".join(_word(part, language) for part in value)
    if isinstance(value, int):
        return format_number(value, ",", language)
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) >= 1000
        return format_number(value, ",.0f" if whole else ".4g", language)
    return str(value)
