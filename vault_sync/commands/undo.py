"""Take back what a sync, or any other command, wrote into the vault."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, RefusedError
from vault_sync.commands.dry_run import find_vault
from vault_sync.commands.writing import writing
from vault_sync.engine.applying import CHANGED
from vault_sync.engine.history import latest, read_history, remove_folders, rewind, undone
from vault_sync.engine.state import state_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.engine.history import HistoryEntry
    from vault_sync.engine.plans import Trouble

SEE = "thesis vault undo --list"


@dataclass(frozen=True)
class PastWrite:
    """One command that wrote into the vault, for the list of what can be undone."""

    number: int
    what: str
    time: str
    files: list[str]
    undone: bool


@dataclass(frozen=True)
class UndoReport:
    """What was taken back."""

    number: int
    what: str
    restored: list[str] = field(default_factory=list)
    """Files that are byte by byte what they were before."""
    removed: list[str] = field(default_factory=list)
    """Files that had been made by it."""
    refused: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """One sentence for each file that was left as it is."""
    redo: int | None = None
    """The number by which this undo can be taken back itself."""
    warnings: list[str] = field(default_factory=list)

    @property
    def problem(self) -> RefusedError | None:
        """The error that tells of files left as they are; None where there is none."""
        return RefusedError("\n  ".join(self.reasons), SEE) if self.reasons else None


def history(workspace: Workspace, to: Path | str | None = None) -> list[PastWrite]:
    """Return what was written into the vault, newest first."""
    entries = _entries(workspace, find_vault(workspace, to))
    over = undone(entries)
    return [
        PastWrite(entry.number, entry.what, entry.time, entry.paths, entry.number in over)
        for entry in reversed(entries)
    ]


def undo(
    workspace: Workspace, number: int | None = None, to: Path | str | None = None
) -> UndoReport:
    """Restore the files that the last sync wrote, or the command NUMBER of the history.

    A file that was written since, by the student or by a later command, is left as it is.

    Raises:
        NotFoundError: there is nothing to undo, or no such number.
        UnavailableError: the vault can't be written.
        LockedError: another process is writing into it.
    """
    vault = find_vault(workspace, to)
    target = _choose(_entries(workspace, vault), number).number
    what = f"vault undo {target}"
    with writing(workspace, vault, what, undoes=target) as writer:
        entries = _entries(workspace, vault)
        entry = _choose(entries, target)
        plan = rewind(entry, entries, workspace.state, vault)
        outcome = writer.write(plan.writes)
        remove_folders(vault, plan.folders)
        journal = writer.applier.journal.folder
    removed = {write.path for write in plan.writes if write.after is None}
    troubles = [*plan.refused, *outcome.refused]
    return UndoReport(
        number=entry.number,
        what=entry.what,
        restored=[path for path in outcome.written if path not in removed],
        removed=[path for path in outcome.written if path in removed],
        refused=sorted({*(trouble.path for trouble in troubles), *outcome.changed}),
        reasons=_reasons(troubles, outcome.changed),
        redo=None if journal is None else int(journal.name),
        warnings=writer.warnings(),
    )


def _reasons(troubles: Sequence[Trouble], changed: Sequence[str]) -> list[str]:
    return [str(trouble) for trouble in troubles] + [f"{path}: {CHANGED}" for path in changed]


def _entries(workspace: Workspace, vault: Path) -> list[HistoryEntry]:
    identity = state_path(workspace.state, vault, workspace.vault).stem
    return read_history(workspace.state, identity)


def _choose(entries: Sequence[HistoryEntry], number: int | None) -> HistoryEntry:
    if number is None:
        newest = latest(entries)
        if newest is None:
            raise NotFoundError("nothing was written into this vault that could be undone", SEE)
        return newest
    for entry in entries:
        if entry.number == number:
            return entry
    known = ", ".join(str(entry.number) for entry in entries[-5:]) or "none so far"
    raise NotFoundError(f"no write number {number}; the latest are {known}", SEE)
