"""Amounts in running text: a number with its sign, its range, its power of ten and its unit."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from vault_sync.prose.amounts import SPACE, UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

_EMPHASIS = r"(?:\*{1,3}|_{1,3}|==|~~)"
_BREAK = f"(?:{SPACE}|{{,}})"
_POWER = (
    rf"(?:[eE][-+\u2212]?\d{{1,3}}(?!\w)|{SPACE}?(?:×|\\times|\\cdot|·){SPACE}?10"
    r"(?:\^\{?[-+\u2212]?\d{1,3}\}?|[⁺⁻⁰¹²³⁴-⁹]{1,4}))"
)
_RATES = (
    r"FPS|fps|ips|(?:images?|frames?|img|im|i)/s(?:ec(?:onde?)?)?"
    r"|(?:images?|frames?) (?:per|par|à la) seconde?"
)
_OPERATIONS = r"[kKMGT]?[ \u00a0\u202f]?(?:FLOP[sS]?|[Ff]lops|MACs?)"
_SECONDS = r"[mµμn]?s|(?:milli)?second(?:e?s)?|sec"
UNIT = {
    "%": rf"{UNITS['%']}|percent|‰",
    "p": UNITS["p"],
    "rate": _RATES,
    "operations": _OPERATIONS,
    "MB": rf"{UNITS['MB']}|[kK](?:B|o|iB|io)",
    "s": _SECONDS,
    "factor": rf"[x×](?!{SPACE}?\d)|fois|times",
    "K": UNITS["K"],
    "M": UNITS["M"],
    "G": UNITS["G"],
}
"""Kind of unit -> the ways to write it; the longer ones stand before those that begin alike."""
_ANY_UNIT = "|".join(f"(?:{pattern})" for pattern in UNIT.values())


def _number(group: str) -> str:
    return (
        rf"(?:\d{{1,3}}(?:(?P<{group}>{SPACE}|[.,'’_]|\{{,\}}|\\,)\d{{3}}"
        rf"(?:(?P={group})\d{{3}}){{0,6}})(?!\d)|\d+)(?:[.,]\d+|\{{,\}}\d+)?{_POWER}?"
    )


_SIGN = rf"(?:[+±\u2212]{SPACE}?|\\pm{SPACE}?|[\u2013-])"
_DASH = (
    r"[\u00a0\u202f\u2009]?[-\u2010-\u2014\u2212][\u00a0\u202f\u2009]?"
    r"|(?:(?<=[.,]\d)|(?<=[.,]\d\d)|(?<=[.,]\d{3})|(?<=%)) [-\u2013\u2014] "
)
_PLUS_MINUS = rf"{SPACE}?(?:±|\+/-|\\pm){SPACE}?"
_UNIT_HERE = rf"{_EMPHASIS}?{SPACE}?(?:{_ANY_UNIT})(?![\w%])"
_NOT_BEFORE = r"(?<![\w.,/@#:^\\×-])(?<!\d[\u00a0\u202f])(?<!× )(?<!\d x )(?<!\d[-\u2013\u2212+±])"
_NOT_AFTER = rf"(?![\w%]|[.,:/]\d|-\w|{SPACE}?[×x]{SPACE}?\d)"
_PAIR = (
    rf"\[{SPACE}?{_SIGN}?{_number('low')}(?:{SPACE}?\\?%)?{SPACE}?[;,–-]{SPACE}?"
    rf"{_SIGN}?{_number('high')}(?:{SPACE}?\\?%)?{SPACE}?\]"
)
AMOUNT = re.compile(
    rf"(?:(?<![\w!\]])(?P<interval>{_PAIR})(?!\()"
    rf"|{_NOT_BEFORE}(?P<sign>{_SIGN})?(?P<number>{_number('whole')})"
    rf"(?P<range>(?:{SPACE}?\\?%)?(?:{_PLUS_MINUS}|{_DASH}){_number('second')})?)"
    rf"(?P<unit>{_UNIT_HERE})?{_NOT_AFTER}"
)
"""One amount: `−82.6 %`, `82,6 ± 0,4 %`, `82,6–83,5 %`, `[82,6 ; 83,5] %`, `4,53×10⁻⁶`."""
_KIND = {key: re.compile(rf"{_EMPHASIS}?{SPACE}?(?:{pattern})") for key, pattern in UNIT.items()}


def find_amounts(text: str, start: int = 0, stop: int | None = None) -> Iterator[re.Match[str]]:
    """Yield the amounts of TEXT in order; the groups are those of AMOUNT."""
    yield from AMOUNT.finditer(text, start, len(text) if stop is None else stop)


@lru_cache(maxsize=1024)
def unit_of(unit: str | None) -> str:
    """Return the key of UNIT that a written unit belongs to; empty where there is none."""
    if not unit:
        return ""
    return next((key for key, pattern in _KIND.items() if pattern.fullmatch(unit)), "")
