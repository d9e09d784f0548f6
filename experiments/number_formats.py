"""How many digits of a metric's value are shown, wherever it is shown."""

from __future__ import annotations

from experiments.metrics import kind

BY_UNIT = {"fraction": ".{places}%", "parameters": ",", "MACs": ".2G"}
"""Unit -> format; values of other units have the places of their metric."""


def number_format(name: str, unit: str = "", *, value: float | None = None) -> str:
    """Return how a value of the metric NAME is written, in the language of `format_number`.

    A VALUE too small for the places of its metric is written with a power of ten.

    >>> number_format("latency.cpu.median_ms"), number_format("widerface.hard.ap")
    (',.1f', '.1%')
    >>> number_format("memory.peak_mb", value=0.004)
    '.1e'
    """
    known = kind(name, unit)
    unit = unit or known.unit
    if unit in BY_UNIT:
        return BY_UNIT[unit].format(places=known.places)
    small = name.endswith("parity") or (value is not None and 0 < abs(value) < 10**-known.places)
    return ".1e" if small else f",.{known.places}f"


def difference_format(name: str, unit: str = "", *, value: float) -> str:
    """Return how a difference VALUE of the metric NAME is written: its sign; shares in points."""
    spec = number_format(name, unit, value=value).replace("%", "p")
    return f"+{spec}" if value else spec
