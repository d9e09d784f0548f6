"""What earlier writes changed, from their journals, and how to take it back."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from featherface.errors import RefusedError
from vault_sync.engine.disk.folders import open_folder
from vault_sync.engine.disk.names import parent
from vault_sync.engine.journal import journals, read_steps, sha256
from vault_sync.engine.plans import Trouble, Write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vault_sync.engine.state import Patch


@dataclass(frozen=True)
class FileChange:
    """One file that was written."""

    path: str
    before: str | None
    """SHA-256 of the file as it was; None where there was none."""
    after: str | None
    """SHA-256 of the file as it was written; None where it was removed."""
    forget: Patch
    """What takes back what was remembered with it."""
    folders: tuple[str, ...] = ()
    """Those that were made for it, outermost first."""


@dataclass(frozen=True)
class HistoryEntry:
    """What one command wrote."""

    number: int
    what: str
    """The command, such as `report sync`."""
    time: str
    """ISO 8601, UTC."""
    changes: tuple[FileChange, ...]
    undoes: int = 0
    """The number that this one took back; 0 for none."""

    @property
    def paths(self) -> list[str]:
        """The files, each once."""
        return sorted({change.path for change in self.changes})


@dataclass
class Rewind:
    """How an entry can be taken back."""

    writes: list[Write] = field(default_factory=list)
    refused: list[Trouble] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    """Those to be removed afterwards where they are empty, innermost first."""


def read_history(state: Path, identity: str) -> list[HistoryEntry]:
    """Return what was written into a vault, oldest first."""
    entries = []
    for folder in journals(state):
        steps = read_steps(folder)
        if steps and steps[0].get("vault") == identity:
            changes = tuple(_changes(steps))
            begin = steps[0]
            entry = HistoryEntry(
                number=int(folder.name),
                what=str(begin.get("what", "")),
                time=str(begin.get("time", "")),
                changes=changes,
                undoes=int(begin.get("undoes", 0)),
            )
            entries += [entry] if changes else []
    return entries


def undone(entries: Sequence[HistoryEntry]) -> set[int]:
    """Return the numbers that are taken back now; an undo that was undone no longer counts."""
    numbers: set[int] = set()
    for entry in reversed(entries):
        if entry.undoes and entry.number not in numbers:
            numbers.add(entry.undoes)
    return numbers


def latest(entries: Sequence[HistoryEntry]) -> HistoryEntry | None:
    """Return the newest entry that is no undo and is not undone; None where there is none."""
    over = undone(entries)
    undoable = [entry for entry in entries if not entry.undoes and entry.number not in over]
    return undoable[-1] if undoable else None


def rewind(
    entry: HistoryEntry, entries: Sequence[HistoryEntry], state: Path, vault: Path
) -> Rewind:
    """Plan to take back what ENTRY wrote, byte by byte, where nobody has written since."""
    journal = state / "journal" / f"{entry.number:06d}"
    plan = Rewind()
    for path in entry.paths:
        changes = [change for change in entry.changes if change.path == path]
        _rewind(path, changes, journal, vault, plan)
    plan.refused = [_explained(trouble, entry, entries, vault) for trouble in plan.refused]
    plan.folders = [folder for change in entry.changes for folder in reversed(change.folders)]
    plan.folders.sort(key=lambda path: -path.count("/"))
    return plan


def remove_folders(vault: Path, folders: Sequence[str]) -> None:
    """Remove the empty ones of FOLDERS."""
    for path in folders:
        with contextlib.suppress(OSError, RefusedError), open_folder(vault, parent(path)) as outer:
            outer.remove_folder(path.rsplit("/", 1)[-1])


def _rewind(
    path: str, changes: Sequence[FileChange], journal: Path, vault: Path, plan: Rewind
) -> None:
    """Go back through the changes of one file as far as they follow on each other."""
    disk = _read(vault, path)
    now, steps = sha256(disk), 0
    forget: Patch = {}
    for change in reversed(changes):
        if change.after != now:
            break
        now, forget, steps = change.before, _joined(forget, change.forget), steps + 1
    if steps < len(changes):
        plan.refused.append(Trouble(path, ""))
    if not steps:
        return
    try:
        before = None if now is None else (journal / f"{now}.before").read_bytes()
    except OSError:
        plan.refused.append(Trouble(path, "the copy of it as it was is gone"))
        return
    if sha256(before) != now:
        plan.refused.append(Trouble(path, "the copy of it as it was is damaged"))
        return
    plan.writes.append(Write(path, disk, before, remember=forget))


def _explained(
    trouble: Trouble, entry: HistoryEntry, entries: Sequence[HistoryEntry], vault: Path
) -> Trouble:
    """Say why a file is left as it is."""
    if trouble.reason:
        return trouble
    disk = sha256(_read(vault, trouble.path))
    later = [
        newer for newer in entries if newer.number > entry.number and trouble.path in newer.paths
    ]
    if disk is None:
        reason = "is no longer there: it was moved or deleted since"
    elif later and any(change.after == disk for change in later[-1].changes):
        number = later[-1].number
        reason = f"was written again since; first: thesis vault undo {number}"
    else:
        reason = "you have written in it since; it is left as it is"
    return Trouble(trouble.path, reason)


def _changes(steps: Sequence[Mapping[str, Any]]) -> list[FileChange]:
    written = {step.get("number") for step in steps if step["step"] == "done" and step["written"]}
    return [
        FileChange(
            path=step["path"],
            before=step["before"],
            after=step["after"],
            forget=step.get("forget", {}),
            folders=tuple(step.get("folders", ())),
        )
        for step in steps
        if step["step"] == "intent" and step.get("number") in written
    ]


def _joined(later: Patch, earlier: Patch) -> Patch:
    """Join two patches; what the EARLIER change takes back wins."""
    sections = {*later, *earlier}
    return {name: {**later.get(name, {}), **earlier.get(name, {})} for name in sections}


def _read(vault: Path, path: str) -> bytes | None:
    try:
        with open_folder(vault, parent(path)) as folder:
            return folder.read(path.rsplit("/", 1)[-1])
    except FileNotFoundError:
        return None
