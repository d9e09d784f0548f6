"""Events of the ledger: one JSON line each, appended and never changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from featherface.filesystem.append import append_lines
from featherface.filesystem.atomic import read_bytes
from featherface.filesystem.os_errors import unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

GIVEN, SEALED, REMOVED, RESTORED, ADOPTED, STAMPED = KINDS = (
    "given",
    "sealed",
    "removed",
    "restored",
    "adopted",
    "stamped",
)
"""What can happen to a run: its number was given, it was sealed, removed, restored, met as it lay
there already, or an authority put its time on its seal."""


@dataclass(frozen=True, kw_only=True)
class LedgerEvent:
    """One line of the ledger."""

    event: str
    """One of KINDS."""
    run: str
    """`v2@3`."""
    seal: str = ""
    """Digest of the record's seal; empty where there was none."""
    time: str = ""
    """ISO 8601 in UTC; of what git kept, when it was committed."""
    source: str = ""
    """Of `adopted`: `record` (it lay there) or `git` (its seal was committed); of `stamped`: the
    authority's address."""
    uid: str = ""
    """What was drawn for the run when it began, and stands in its record; empty in earlier ones."""
    token: str = ""
    """Of `stamped`: the SHA-256 of the authority's answer."""

    @property
    def experiment(self) -> str:
        """The experiment's name."""
        return self.run.rpartition("@")[0]

    @property
    def version(self) -> int:
        """The number of the version."""
        return int(self.run.rpartition("@")[2])


def now() -> str:
    """Return this moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def append_events(path: Path, events: Iterable[LedgerEvent]) -> None:
    """Append EVENTS to the ledger at PATH.

    Raises:
        HeldError: another program holds it; nothing was written.
        UnavailableError: the disk is full or read-only.
    """
    lines = [
        json.dumps({key: value for key, value in asdict(event).items() if value}) + "\n"
        for event in events
    ]
    if lines:
        append_lines(path, "".join(lines))


def read_events(path: Path) -> tuple[list[LedgerEvent], list[int]]:
    """Return the events in PATH, none where it is missing, and the numbers of damaged lines.

    Raises:
        HeldError: another program lets nobody read it.
        UnavailableError: it can't be read for another reason.
    """
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise unavailable(error, path, verb="read") from error
    events, damaged = [], []
    for number, line in enumerate(content.splitlines(), 1):
        event = _read(line)
        if event is not None:
            events.append(event)
        elif line.strip():
            damaged.append(number)
    return events, damaged


def _read(line: bytes) -> LedgerEvent | None:
    """Return the event in LINE; None where it is damaged or half-written."""
    try:
        values = json.loads(line)
        known = {key: str(values[key]) for key in LedgerEvent.__dataclass_fields__ if key in values}
        event = LedgerEvent(**known)
        _ = event.version
    except (ValueError, TypeError, KeyError):
        return None
    return event if event.event in KINDS else None
