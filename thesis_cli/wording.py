"""Numbers as a person reads them in the terminal; --json gives them in full."""

from __future__ import annotations

import math

from experiments.wording.numbers import format_number

SPECS = {"fraction": ".1%", "parameters": ",.0f", "MACs": ".3G"}
"""Unit -> how `format_number` writes it; other values get four digits and their unit."""


def quantity(value: float, unit: str, spec: str = "") -> str:
    """Word VALUE with its unit: 0.8251 of `fraction` is `82.5%`.

    >>> quantity(592371, "parameters"), quantity(2.0417, "MB", ".2f")
    ('592,371', '2.04 MB')

    Raises:
        UsageError: SPEC is not one of `format_number`.
    """
    text = format_number(value, spec or SPECS.get(unit, ".4g"))
    return text if unit in SPECS or not math.isfinite(value) else f"{text} {unit}".strip()


def difference(value: float, unit: str) -> str:
    """Word VALUE with its sign, that of a `fraction` in points.

    >>> difference(-0.004, "fraction"), difference(0.0, "ms")
    ('−0.4\u00a0pt', '0 ms')
    """
    if unit == "fraction":
        return format_number(value, "+.1p")
    return quantity(value, unit, f"+{SPECS.get(unit, ',.4g')}")
