"""Reporting periods in whole UTC days: read from a block's marker, by default the last week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from featherface.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS = 7


@dataclass(frozen=True)
class Period:
    """Whole days, both ends included, in UTC as the records count them."""

    since: date
    until: date

    def holds(self, day: date | None) -> bool:
        """Whether DAY is in the period."""
        return day is not None and self.since <= day <= self.until


def period_of(attributes: Mapping[str, str]) -> Period:
    """Read the days from the block's marker: `since=2026-11-15 until=2026-11-21`.

    Raises:
        RefusedError: they are missing or no days.
    """
    try:
        days = [date.fromisoformat(attributes[key]) for key in ("since", "until")]
    except (KeyError, ValueError) as error:
        raise RefusedError(
            "its marker needs the days: since=2026-11-15 until=2026-11-21", "thesis report weekly"
        ) from error
    if days[0] > days[1]:
        raise RefusedError(f"since={days[0]} is after until={days[1]}", "thesis report weekly")
    return Period(*days)


def today() -> date:
    """Return the day that it is, in UTC as the records count."""
    return datetime.now(UTC).date()


def default_period(since: date | None = None, until: date | None = None) -> tuple[date, date]:
    """Complete a period: the last seven days, up to today.

    Raises:
        UsageError: it ends before it begins.
    """
    last = until or today()
    first = since or last - timedelta(days=DAYS - 1)
    if first > last:
        raise UsageError(
            f"the period begins on {first} and ends on {last}",
            "give --since a day that is not after --until",
        )
    return first, last
