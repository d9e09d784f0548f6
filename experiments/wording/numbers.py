"""Numbers as English and French print them: the one place that writes a number for a reader.

Zero is `0`, of whatever sign and format. A value that a fixed number of places would show as zero
gets up to `EXTRA` more, so that its first digit is seen; a smaller one becomes a power of ten. What
is no finite number is said in words.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from experiments.wording.catalogue import phrase
from featherface.errors import UsageError

SPEC = re.compile(r"(?P<sign>\+)?(?P<comma>,)?(?:\.(?P<places>\d+))?(?P<kind>[%pfgedKMG])?")
THIN = "\u202f"
"""Narrow no-break space: French thousands, and before French signs such as `%` and `;`."""
HARD = "\u00a0"
"""No-break space: before a unit."""
MINUS = "\u2212"
POINTS = "pt"
"""Unit of a difference of two percentages."""
SCALES = {"K": 1e3, "M": 1e6, "G": 1e9}
EXTRA = 3
"""Places that are added at most where a value would look like zero."""
_EXPONENT = re.compile(r"e([+-])0*(\d+)\Z")
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def format_number(value: float, spec: str, language: str = "en") -> str:
    """Return VALUE worded by SPEC, a part of Python's format language plus K, M and G.

    `,` groups thousands, `.1%` is a percentage, `.1p` a difference of percentages in points,
    `+.1f` shows the sign, `.2M` counts millions.

    >>> format_number(0.825, ".1%", "en")
    '82.5%'
    >>> format_number(488664, ",", "en")
    '488,664'
    >>> format_number(0.0, "+.1f", "en"), format_number(0.0004, ".1%", "en")
    ('0', '0.04%')
    >>> format_number(-1e-9, ".1f", "en"), format_number(1.5e-6, ".1e", "en")
    ('−1×10⁻⁹', '1.5×10⁻⁶')

    Raises:
        UsageError: SPEC is not of this language.
    """
    match = _match(spec)
    if not math.isfinite(value):
        return _no_number(value, language)
    text = _EXPONENT.sub(_power, plain_number(value, spec)).replace("-", MINUS)
    if language == "fr":
        text = text.replace(",", THIN).replace(".", ",")
    kind = match["kind"] or ""
    if kind == "%":
        return text + (f"{THIN}%" if language == "fr" else "%")
    if kind in SCALES or kind == "p":
        return f"{text}{HARD}{POINTS if kind == 'p' else kind}"
    return text


def plain_number(value: float, spec: str) -> str:
    """Return a finite VALUE as SPEC wants it, in ASCII and without its unit, as LaTeX takes it.

    >>> plain_number(-0.825, ".1%"), plain_number(1.5e-6, ".1e"), plain_number(1e-9, ".1f")
    ('-82.5', '1.5e-06', '1e-09')

    Raises:
        UsageError: SPEC is not of the language of `format_number`.
    """
    match = _match(spec)
    if value == 0:
        return "0"
    text = _digits(value, spec, match)
    if any(digit in text for digit in "123456789"):
        return text
    return _near_zero(value, match)


def scaled(value: float, spec: str) -> Decimal:
    """Return VALUE as SPEC counts it, not rounded: 82.5 for 0.825 under `.1%`."""
    match = _match(spec)
    exact = Decimal(repr(float(value)))
    if match["kind"] in {"%", "p"}:
        return exact * 100
    return exact / Decimal(SCALES.get(match["kind"] or "", 1.0))


def shown(value: float, spec: str) -> Decimal:
    """Return VALUE rounded to the places of SPEC, sign and exponent included."""
    return Decimal(_digits(value, spec, _match(spec)).replace(",", ""))


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


def _near_zero(value: float, match: re.Match[str]) -> str:
    """Return VALUE, which the places of its format show as zero, with enough of them."""
    kind = match["kind"] or ""
    counted = value * 100 if kind in {"%", "p"} else value / SCALES.get(kind, 1.0)
    usual = int(match["places"] or (6 if kind == "f" else 0))
    for places in range(usual + 1, usual + EXTRA + 1):
        text = format(counted, f"{match['sign'] or ''}.{places}f")
        if float(text):
            return text
    return format(counted, f"{match['sign'] or ''}.0e")


def _power(match: re.Match[str]) -> str:
    """Write `e-06` as a power of ten."""
    sign = "-" if match[1] == "-" else ""
    return f"×10{f'{sign}{match[2]}'.translate(_RAISED)}"


def _no_number(value: float, language: str) -> str:
    if math.isnan(value):
        return phrase("number.undefined", language)
    return phrase("number.infinite" if value > 0 else "number.minus_infinite", language)
