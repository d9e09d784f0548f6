"""Numbers as a person reads them in the terminal; --json gives them in full."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from experiments.disturbances import marks_text
from experiments.wording.numbers import format_number

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def extent(metric: dict[str, Any]) -> str:
    """Tell on how many images a metric stands, and whether they are the whole split."""
    if not metric["n"]:
        return ""
    return f"{metric['n']:,}" + ("" if metric["complete"] else " (part)")


def setting(metric: dict[str, Any]) -> str:
    """Tell how a metric was taken, and on which card where that decides it."""
    from experiments.conditions import TIMED
    from experiments.conditions_text import setting as setting_of
    from experiments.earlier_conditions import read_conditions

    on = read_conditions(metric)
    named = metric["name"].startswith(TIMED) and on.device not in ("", "cpu")
    return ", ".join(part for part in (setting_of(on), on.shown() if named else "") if part)


def evidence(metric: dict[str, Any]) -> str:
    """Say what kind of evidence a metric is, who made what is imported, and its marks."""
    maker = f" from {metric['maker']}" if metric.get("maker") else ""
    marks = marks_text(tuple(metric.get("marks", ())), "en")
    return ", ".join(part for part in (f"{metric['evidence']}{maker}", marks) if part)


def metric_rows(metrics: Iterable[dict[str, Any]]) -> list[list[str]]:
    """Give one row per metric: name, value, data, split, protocol, n, evidence with its marks."""
    return [
        [
            metric["name"],
            quantity(metric["value"], metric["unit"]),
            metric["dataset"],
            metric["split"],
            setting(metric),
            extent(metric),
            evidence(metric),
        ]
        for metric in metrics
    ]
