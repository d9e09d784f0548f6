"""The comparison table as data, for the terminal, documents and the vault.

It is made of plain values, those of `Comparison.to_json()`: what is kept of an earlier comparison
gives the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.comparison.result import excludes_zero
from experiments.metrics import kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CORRECTED, ALONE = "*", "†"
"""Marks of a difference: after Holm's correction, and by its own interval only."""


@dataclass(frozen=True)
class Value:
    """A measured or published value with its interval."""

    number: float
    """In the unit of its line."""
    low: float | None = None
    """Ends of the 95 % interval; None where there is none."""
    high: float | None = None
    marks: tuple[str, ...] = ()
    """Of the measurement, such as `disturbed`."""


@dataclass(frozen=True)
class Difference:
    """The difference of a run from the first one, or why there is none."""

    number: float | None = None
    """This run's value minus the first one's; None where they are not compared."""
    low: float | None = None
    high: float | None = None
    mark: str = ""
    """One of CORRECTED and ALONE; empty where chance may explain it, or nobody asked."""
    share: float | None = None
    """Of the first run's value, for costs: -0.25 is a quarter less."""
    chance: float | None = None
    """Share of the resamples in which this run lies above the first one."""
    reason: str = ""
    """Why they are not compared, a key of `result.REASONS`."""


@dataclass(frozen=True)
class ComparisonLine:
    """One metric of all runs."""

    metric: str
    unit: str
    values: tuple[Value | None, ...]
    """One per run; None where it was not measured."""
    differences: tuple[Difference, ...]
    """One per run but the first."""
    references: Mapping[str, Value]
    """Name of a cited or planned result -> its value, where it may stand here."""


def lines(rows: Iterable[Mapping[str, Any]], runs: Sequence[str]) -> list[ComparisonLine]:
    """Return the lines of a table of RUNS (their ids), ROWS being those of a comparison's JSON."""
    return [_line(row, runs) for row in rows]


def _line(row: Mapping[str, Any], runs: Sequence[str]) -> ComparisonLine:
    name, values, cited = row["metric"], row["values"], row.get("references", {})
    known: Mapping[str, Any] = next((values[run] for run in runs if run in values), {})
    unit = known.get("unit") or kind(name).unit
    return ComparisonLine(
        name,
        unit,
        tuple(_value(values.get(run)) for run in runs),
        tuple(_difference(values.get(runs[0]), values.get(run), unit) for run in runs[1:]),
        {reference: Value(number) for reference, number in cited.items()},
    )


def _value(values: Mapping[str, Any] | None) -> Value | None:
    if values is None:
        return None
    marks = tuple(values.get("marks", ()))
    return Value(values["value"], values.get("low"), values.get("high"), marks)


def _difference(
    first: Mapping[str, Any] | None, this: Mapping[str, Any] | None, unit: str
) -> Difference:
    if first is None or this is None:
        return Difference(reason="unmeasured")
    delta = this.get("delta")
    if delta is None:
        return Difference(reason=this.get("reason") or "conditions")
    number, low, high = delta["value"], delta["low"], delta["high"]
    before = first["value"]
    cost = unit != "fraction" and before and number and delta.get("relative", True)
    return Difference(
        number,
        low,
        high,
        mark=_mark(low, high, corrected=delta["established"]),
        share=number / before if cost else None,
        chance=delta["probability"],
    )


def _mark(low: float | None, high: float | None, *, corrected: bool | None) -> str:
    if corrected:
        return CORRECTED
    return ALONE if excludes_zero(low, high) else ""
