"""A table of numbers with intervals, before it is written in any format."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from experiments.wording.catalogue import phrase
from experiments.wording.numbers import format_number


@dataclass(frozen=True)
class NumberCell:
    """A numeric cell: a value with its format, and its interval where one is known."""

    value: float
    spec: str = ".4g"
    """Of `format_number`."""
    low: float | None = None
    high: float | None = None
    mark: str = ""
    """Shown behind it, such as `*` for a difference whose interval excludes zero."""
    note: str = ""
    """What must be said of the value, in brackets behind it."""
    share: float | None = None
    """The same as a part of what it is measured against, shown in brackets."""

    def text(self, language: str) -> str:
        """Return the number, its mark, note, share and interval as LANGUAGE prints them."""
        shown = format_number(self.value, self.spec, language) + self.mark
        shown += f" ({self.note})" if self.note else ""
        if self.share is not None:
            shown += f" ({format_number(self.share, '+.1%', language)})"
        between = self.interval(language)
        return f"{shown} {between}" if between else shown

    def interval(self, language: str) -> str:
        """Return both ends of the interval in brackets, without their unit; empty for none."""
        ends = [
            UNIT.sub("", format_number(end, self.spec.removeprefix("+"), language))
            for end in self.ends
        ]
        return f"[{phrase('between', language).join(ends)}]" if ends else ""

    @property
    def alone(self) -> NumberCell:
        """The same without its interval."""
        return replace(self, low=None, high=None)

    @property
    def exact(self) -> float:
        """The value in full precision, for CSV and JSON: zero without places and sign."""
        return self.value or 0

    @property
    def ends(self) -> tuple[float, ...]:
        """Both ends of the interval; none where it is not known."""
        return () if self.low is None or self.high is None else (self.low, self.high)


UNIT = re.compile(r"[\u00a0\u202f]?(%|pt|[KMG])$")
"""Behind a number; said once, not again at both ends of its interval."""
Cell: TypeAlias = str | NumberCell | None
ABSENT = "–"


@dataclass(frozen=True)
class Table:
    """Titles, rows of cells, and where the numbers come from."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    """What a reader must know: data set, split, images, protocol."""
    provenance: tuple[str, ...] = ()
    """One line per run: id and seal."""
    numeric: frozenset[int] = field(default_factory=frozenset)
    """Columns set flush right; those that hold a NumberCell where left empty."""

    @property
    def right(self) -> frozenset[int]:
        """The columns set flush right."""
        places = range(len(self.columns))
        held = {at for at in places if any(isinstance(row[at], NumberCell) for row in self.rows)}
        return self.numeric or frozenset(held)


def plain(cell: Cell, language: str) -> str:
    """Return CELL as LANGUAGE prints it."""
    if cell is None:
        return ABSENT
    return cell.text(language) if isinstance(cell, NumberCell) else cell


def one_line(text: str) -> str:
    """Return TEXT without line breaks."""
    return " ".join(text.split("\n")).replace("\r", " ")


def to_json(table: Table) -> dict[str, Any]:
    """Return plain values in full precision."""
    return {
        "title": table.title,
        "columns": list(table.columns),
        "rows": [[_json_cell(cell) for cell in row] for row in table.rows],
        "notes": list(table.notes),
        "provenance": list(table.provenance),
    }


def _json_cell(cell: Cell) -> Any:
    if not isinstance(cell, NumberCell):
        return cell
    if cell.low is None or cell.high is None:
        return cell.exact
    return {"value": cell.exact, "low": cell.low or 0, "high": cell.high or 0}
