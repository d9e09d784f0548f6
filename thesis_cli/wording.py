"""Numbers as a person reads them in the terminal; --json gives them in full."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def quantity(value: float, unit: str) -> str:
    """Word VALUE with its unit: 0.8251 of `fraction` is `82.5 %`.

    >>> quantity(592371, "parameters")
    '592,371'
    """
    if math.isnan(value):
        return "undefined"
    if unit == "fraction":
        return f"{100 * value:.1f} %"
    if unit == "parameters":
        return f"{value:,.0f}"
    if unit == "MACs":
        return f"{value / 1e9:.3f} G"
    return f"{value:.4g} {unit}".strip()


def extent(metric: dict[str, Any]) -> str:
    """Tell on how many images a metric stands, and whether they are the whole split."""
    if not metric["n"]:
        return ""
    return f"{metric['n']:,}" + ("" if metric["complete"] else " (part)")


def setting(metric: dict[str, Any]) -> str:
    """Tell how a metric was taken, and on which card where that decides it."""
    from experiments.conditions import TIMED, Conditions

    on = Conditions.from_json(metric.get("conditions", {}))
    named = metric["name"].startswith(TIMED) and on.device not in ("", "cpu")
    return ", ".join(part for part in (metric["protocol"], on.shown() if named else "") if part)


def metric_rows(metrics: Iterable[dict[str, Any]]) -> list[list[str]]:
    """Give one row per metric: name, value, data, split, protocol, n, evidence."""
    return [
        [
            metric["name"],
            quantity(metric["value"], metric["unit"]),
            metric["dataset"],
            metric["split"],
            setting(metric),
            extent(metric),
            metric["evidence"],
        ]
        for metric in metrics
    ]
