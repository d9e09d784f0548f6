"""Numbers as English and French print them."""

from __future__ import annotations

import re
from decimal import Decimal

from featherface.errors import UsageError

SPEC = re.compile(r"(?P<sign>\+)?(?P<comma>,)?(?:\.(?P<places>\d+))?(?P<kind>[%pfgedKMG])?")
THIN = "\u202f"
"""Narrow no-break space: French thousands."""
HARD = "\u00a0"
"""No-break space: before % in French, before a unit in both."""
MINUS = "\u2212"
POINTS = "pt"
"""Unit of a difference of two percentages."""
SCALES = {"K": 1e3, "M": 1e6, "G": 1e9}


def format_number(value: float, spec: str, language: str = "en") -> str:
    """Return VALUE worded by SPEC, a part of Python's format language plus K, M and G.

    `,` groups thousands, `.1%` is a percentage, `.1p` a difference of percentages in points,
    `+.1f` shows the sign, `.2M` counts millions.

    >>> format_number(0.825, ".1%", "en")
    '82.5%'
    >>> format_number(488664, ",", "en")
    '488,664'

    Raises:
        UsageError: SPEC is not of this language.
    """
    match = _match(spec)
    kind = match["kind"]
    text = _digits(value, spec, match)
    text = text.replace("-", MINUS) if language == "fr" else text
    if language == "fr":
        text = text.replace(",", THIN).replace(".", ",")
    if kind == "%":
        return text + (f"{HARD}%" if language == "fr" else "%")
    if kind in SCALES or kind == "p":
        return f"{text}{HARD}{POINTS if kind == 'p' else kind}"
    return text


def _match(spec: str) -> re.Match[str]:
    match = SPEC.fullmatch(spec)
    if match is None:
        raise UsageError(
            f"number format {spec!r}: write it like '.1%', ',', '.3f', '+.1f' or '.2M'"
        )
    return match


def _digits(value: float, spec: str, match: re.Match[str]) -> str:
    kind, places = match["kind"], match["places"]
    prefix = (match["sign"] or "") + (match["comma"] or "")
    if kind in {"%", "p"}:
        return format(value * 100, f"{prefix}.{places or 0}f")
    if kind in SCALES:
        return format(value / SCALES[kind], f"{prefix}.{places or 0}f")
    if kind == "d" or (kind is None and places is None and float(value).is_integer()):
        return format(round(value), f"{prefix}d")
    return format(float(value), spec)


def scaled(value: float, spec: str) -> Decimal:
    """Return VALUE as SPEC counts it, not rounded: 82.5 for 0.825 under `.1%`."""
    match = _match(spec)
    exact = Decimal(repr(float(value)))
    if match["kind"] in {"%", "p"}:
        return exact * 100
    return exact / Decimal(SCALES.get(match["kind"] or "", 1.0))


def shown(value: float, spec: str) -> Decimal:
    """Return the number that `format_number` prints, sign and exponent included."""
    return Decimal(_digits(value, spec, _match(spec)).replace(",", ""))
