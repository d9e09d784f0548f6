"""The ledger of a workspace: `.thesis/ledger.jsonl`, one line for each thing that befell a run.

It proves nothing against someone who rewrites it. It tells what happened by ordinary commands and
ordinary accidents: a seal that was made anew, a record that is gone, a number that was given.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.ledger.events import (
    ADOPTED,
    GIVEN,
    REMOVED,
    RESTORED,
    SEALED,
    STAMPED,
    LedgerEvent,
    append_events,
    now,
    read_events,
)
from experiments.ledger.git_history import committed_seals
from experiments.workspace.locks import held
from featherface.errors import LockedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from experiments.workspace.workspace import Workspace

LEDGER = "ledger.jsonl"
PATIENCE = 10.0
"""Seconds waited for another process that writes an event."""


@dataclass
class Memory:
    """What the events say, taken together."""

    versions: dict[str, int] = field(default_factory=dict)
    """Experiment -> the highest number ever given."""
    given: set[str] = field(default_factory=set)
    """Runs whose number this workspace has given itself."""
    seals: dict[str, LedgerEvent] = field(default_factory=dict)
    """Run -> the event that tells its first seal."""
    removed: dict[str, LedgerEvent] = field(default_factory=dict)
    """Run -> the event of its removal, of those not restored since."""
    timestamps: dict[str, list[LedgerEvent]] = field(default_factory=dict)
    """Run -> the events of its timestamps, in order."""
    owners: dict[str, str] = field(default_factory=dict)
    """What was drawn for a run -> the run that first had it."""
    known: set[str] = field(default_factory=set)
    """Every run that any event names."""

    def take(self, event: LedgerEvent) -> None:
        """Add what EVENT says."""
        self.known.add(event.run)
        self.versions[event.experiment] = max(event.version, self.versions.get(event.experiment, 0))
        if event.uid:
            self.owners.setdefault(event.uid, event.run)
        if event.event == GIVEN:
            self.given.add(event.run)
        if event.event in (SEALED, ADOPTED) and event.seal:
            self.seals.setdefault(event.run, event)
        if event.event == STAMPED:
            self.timestamps.setdefault(event.run, []).append(event)
        if event.event == REMOVED:
            self.removed[event.run] = event
        elif event.event == RESTORED:
            self.removed.pop(event.run, None)


class Ledger:
    """The ledger of WORKSPACE, read once; what is appended here is known here at once."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.path = workspace.state / LEDGER
        self.damaged: list[int] = []
        """Numbers of the lines that can't be read; the last one may be half-written."""
        self._memory: Memory | None = None

    @property
    def exists(self) -> bool:
        """Whether the workspace keeps a ledger yet; one of an earlier version does not."""
        return self.path.is_file()

    @property
    def memory(self) -> Memory:
        """What the ledger says; without one, what git has kept of seals."""
        if self._memory is None:
            events, self.damaged = read_events(self.path)
            self._memory = Memory()
            for event in events if self.exists else self._from_git():
                self._memory.take(event)
        return self._memory

    def reload(self) -> None:
        """Read the ledger again, where other processes may have written meanwhile."""
        self._memory = None

    def note(self, kind: str, run: str, seal: str = "", **others: str) -> None:
        """Append that KIND happened to RUN now; OTHERS are further fields of LedgerEvent.

        Raises:
            LockedError: another process holds the ledger.
            UnavailableError: it can't be written.
        """
        self._append([LedgerEvent(event=kind, run=run, seal=seal, time=now(), **others)])

    def adopt(self, present: Iterable[tuple[str, str, str]]) -> None:
        """Remember the records that lie there: PRESENT are runs, their seals' digests and uids.

        Where there is no ledger it is made, first from what git has kept.

        Raises:
            LockedError: another process holds the ledger.
            UnavailableError: it can't be written.
        """
        memory = self.memory
        self._append(
            [
                LedgerEvent(event=ADOPTED, run=run, seal=seal, time=now(), source="record", uid=uid)
                for run, seal, uid in present
                if run not in (memory.seals if seal else memory.known)
            ]
        )

    def _from_git(self) -> list[LedgerEvent]:
        return [
            LedgerEvent(event=ADOPTED, run=each.run, seal=each.seal, time=each.time, source="git")
            for each in committed_seals(self.workspace.root)
        ]

    def _append(self, events: list[LedgerEvent]) -> None:
        if not events and (self.exists or not self.memory.known):
            return
        memory = self.memory
        with self._lock():
            append_events(self.path, [*([] if self.exists else self._from_git()), *events])
        for event in events:
            memory.take(event)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with held(self.workspace, "ledger", seconds=PATIENCE) as mine:
            if not mine:
                raise LockedError(
                    "another program is writing into the ledger of the workspace",
                    "wait until it is done, then do it again",
                )
            yield
