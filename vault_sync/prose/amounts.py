"""Numbers as people write them: read, compared with a value, and replaced in the same manner.

Any space, either decimal mark, a unit or none, bold or not: only the number counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from experiments.wording.numbers import MINUS, SPEC, format_number, scaled, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACE = "[ \\t\\r\\n\u00a0\u2007\u2009\u202f]"
_GROUP = f"(?:{SPACE}|[.,'’_]|\\\\,)"
UNITS = {
    "%": r"\\?%|per ?cent|pour ?cent",
    "p": r"pts?|points?|p\.p\.|pp",
    "K": r"[kK]",
    "M": r"M|millions?",
    "G": r"G|billions?|milliards?",
    "ms": r"ms",
    "MB": r"MB|Mo|MiB|Mio",
}
"""Unit -> the ways to write it; `pt` and `points` are differences of percentages."""
NUMBER = (
    f"(?P<whole>\\d{{1,3}}(?:(?P<group>{_GROUP})\\d{{3}}(?:(?P=group)\\d{{3}})*)(?!\\d)|\\d+)"
    r"(?:(?P<mark>[.,])(?P<decimals>\d+))?"
)
_EXPONENT = (
    f"(?:[eE](?P<e>[-+\u2212]?\\d{{1,3}})|{SPACE}?(?:×|\\\\times|\\\\cdot|·){SPACE}?10"
    "(?:\\^\\{?(?P<power>[-+\u2212]?\\d{1,3})\\}?|(?P<raised>[⁺⁻⁰¹²³⁴-⁹]{1,4})))?"
)
_UNIT = "|".join(f"(?P<u{place}>{pattern})" for place, pattern in enumerate(UNITS.values()))
_WRITTEN_NUMBER = re.compile(
    f"(?P<lead>(?:[*_=~]|{SPACE})*)(?P<sign>[-+\u2212\u2013]{SPACE}?)?{NUMBER}{_EXPONENT}"
    f"(?:(?P<gap>{SPACE}*)(?:{_UNIT}))?(?P<tail>(?:[*_=~]|{SPACE})*)"
)
_RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_SCALING = ("%", "p", "K", "M", "G")


@dataclass(frozen=True)
class NumberReading:
    """One way to read a text as a number."""

    value: Decimal
    """As it stands there: 82.5 for `82,5 %`."""
    places: int
    """Decimals it shows."""
    unit: str
    """A key of UNITS; empty where none stands with it."""
    sign: str
    group: str
    """What stands between thousands; empty where nothing does."""
    mark: str
    """The decimal mark; empty where there are no decimals."""
    before: str
    """What stands before the number: white space, emphasis."""
    after: str
    """What stands after it, its unit included."""
    plain: bool = True
    """Whether it is written without a power of ten."""

    def matches(self, value: float, spec: str) -> bool:
        """Whether this is VALUE, rounded to the places of SPEC, or to more that are right too."""
        match = SPEC.fullmatch(spec)
        kind = (match and match["kind"]) or ""
        wanted = kind if kind in _SCALING else ""
        if self.unit in _SCALING if not wanted else self.unit not in (wanted, ""):
            return False
        exact, printed = scaled(value, spec), shown(value, spec)
        exponent = int(printed.as_tuple().exponent)
        if self.value == printed:
            return not self.plain or self.places <= -exponent or self.value == exact
        if self.plain:
            exponent = min(exponent, -self.places)
        tolerance = Decimal(5).scaleb(exponent - 1) + abs(exact) * Decimal("1e-12")
        return abs(self.value - exact) <= tolerance


def read_number(text: str) -> list[NumberReading]:
    """Return every way to read TEXT as one number; nothing where it is none.

    Example: ``read_number("82,5 %")`` has one reading, with value ``82.5`` and unit ``%``.

    `488,664` is half a thousand in French and half a million in English: both are returned.
    """
    match = _WRITTEN_NUMBER.fullmatch(text)
    return [] if match is None else list(_readings(match))


def _readings(match: re.Match[str]) -> Iterator[NumberReading]:
    group, mark = match["group"] or "", match["mark"] or ""
    whole, decimals = match["whole"], match["decimals"] or ""
    if not (group and whole.startswith("0")):
        yield _reading(match, whole.replace(group, "") if group else whole, decimals, group, mark)
    single = group in (".", ",") and not mark and whole.count(group) == 1
    if single:
        first, last = whole.split(group)
        yield _reading(match, first, last, "", group)


def _reading(
    match: re.Match[str], whole: str, decimals: str, group: str, mark: str
) -> NumberReading:
    sign = (match["sign"] or "").strip()
    power = match["e"] or match["power"] or (match["raised"] or "").translate(_RAISED)
    value = Decimal(f"{'-' if sign not in ('', '+') else ''}{whole}.{decimals or '0'}")
    exponent = _power(power)
    return NumberReading(
        value=value.scaleb(exponent),
        places=len(decimals),
        unit=next((key for at, key in enumerate(UNITS) if match[f"u{at}"]), ""),
        sign=sign,
        group=group,
        mark=mark,
        before=match["lead"],
        after=match.string[match.end("decimals" if match["decimals"] else "whole") :],
        plain=not power,
    )


def _power(text: str) -> int:
    try:
        return int(Decimal(text.replace("\u2212", "-"))) if text else 0
    except InvalidOperation:
        return 0


def write_number(value: float, spec: str, language: str) -> str:
    """Write VALUE as reports in LANGUAGE do."""
    return format_number(value, spec, language)


def rewrite(old: NumberReading | None, value: float, spec: str, language: str) -> str:
    """Write VALUE in the manner of OLD: its decimal mark, spaces, unit and emphasis.

    Example: 0.831 as ``.1%`` in the manner of ``82,5 %`` is ``83,1 %``.
    """
    new_readings = read_number(write_number(value, spec, language))
    if old is None or not new_readings or not (old.plain and new_readings[0].plain):
        return write_number(value, spec, language)
    new = new_readings[0]
    english = write_number(abs(value), spec.lstrip("+").replace(",", ""), "en")
    digits = re.match(r"[\d.]+", english)
    whole, _, decimals = (digits[0] if digits else "").partition(".")
    group = old.group or ("" if _ungrouped(old) else new.group)
    mark = old.mark or (
        new.mark if not old.group else {",": ".", ".": ","}.get(old.group, new.mark)
    )
    text = _grouped(whole, group) + (f"{mark}{decimals}" if decimals else "")
    return f"{old.before}{_sign(old, value, spec)}{text}{old.after}"


def _ungrouped(old: NumberReading) -> bool:
    """Whether a long number was written without thousands apart."""
    return abs(old.value) >= 1000 and not old.group


def _grouped(whole: str, group: str) -> str:
    if not group:
        return whole
    first = len(whole) % 3 or 3
    parts = [whole[:first], *(whole[at : at + 3] for at in range(first, len(whole), 3))]
    return group.join(parts)


def _sign(old: NumberReading, value: float, spec: str) -> str:
    if value < 0:
        return old.sign if old.sign not in ("", "+") else MINUS
    return "+" if value and spec.startswith("+") and old.sign else ""
