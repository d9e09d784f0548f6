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
class Change:
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
class Entry:
    """What one command wrote."""

    number: int
    what: str
    """The command, such as `report sync`."""
    time: str
    """ISO 8601, UTC."""
    changes: tuple[Change, ...]
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


def read_history(state: Path, identity: str) -> list[Entry]:
    """Return what was written into a vault, oldest first."""
    entries = []
    for folder in journals(state):
        steps = read_steps(folder)
        if steps and steps[0].get("vault") == identity:
            changes = tuple(_changes(steps))
            begin = steps[0]
            entry = Entry(
                number=int(folder.name),
                what=str(begin.get("what", "")),
                time=str(begin.get("time", "")),
                changes=changes,
                undoes=int(begin.get("undoes", 0)),
            )
            entries += [entry] if changes else []
    return entries


def undone(entries: Sequence[Entry]) -> set[int]:
    """Return the numbers that are taken back now; an undo that was undone no longer counts."""
    found: set[int] = set()
    for entry in reversed(entries):
        if entry.undoes and entry.number not in found:
            found.add(entry.undoes)
    return found


def latest(entries: Sequence[Entry]) -> Entry | None:
    """Return the newest entry that is no undo and is not undone; None where there is none."""
    over = undone(entries)
    chosen = [one for one in entries if not one.undoes and one.number not in over]
    return chosen[-1] if chosen else None


def rewind(entry: Entry, entries: Sequence[Entry], state: Path, vault: Path) -> Rewind:
    """Plan to take back what ENTRY wrote, byte by byte, where nobody has written since."""
    folder = state / "journal" / f"{entry.number:06d}"
    found = Rewind()
    for path in entry.paths:
        changes = [change for change in entry.changes if change.path == path]
        _rewind(path, changes, folder, vault, found)
    found.refused = [_explained(one, entry, entries, vault) for one in found.refused]
    found.folders = [one for change in entry.changes for one in reversed(change.folders)]
    found.folders.sort(key=lambda one: -one.count("/"))
    return found


def remove_folders(vault: Path, folders: Sequence[str]) -> None:
    """Remove the empty ones of FOLDERS."""
    for path in folders:
        with contextlib.suppress(OSError, RefusedError), open_folder(vault, parent(path)) as outer:
            outer.remove_folder(path.rsplit("/", 1)[-1])


def _rewind(
    path: str, changes: Sequence[Change], journal: Path, vault: Path, found: Rewind
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
        found.refused.append(Trouble(path, ""))
    if not steps:
        return
    try:
        before = None if now is None else (journal / f"{now}.before").read_bytes()
    except OSError:
        found.refused.append(Trouble(path, "the copy of it as it was is gone"))
        return
    if sha256(before) != now:
        found.refused.append(Trouble(path, "the copy of it as it was is damaged"))
        return
    found.writes.append(Write(path, disk, before, remember=forget))


def _explained(trouble: Trouble, entry: Entry, entries: Sequence[Entry], vault: Path) -> Trouble:
    """Say why a file is left as it is."""
    if trouble.reason:
        return trouble
    disk = sha256(_read(vault, trouble.path))
    later = [one for one in entries if one.number > entry.number and trouble.path in one.paths]
    if disk is None:
        reason = "is no longer there: it was moved or deleted since"
    elif later and any(change.after == disk for change in later[-1].changes):
        number = later[-1].number
        reason = f"was written again since; first: thesis vault undo {number}"
    else:
        reason = "you have written in it since; it is left as it is"
    return Trouble(trouble.path, reason)


def _changes(steps: Sequence[Mapping[str, Any]]) -> list[Change]:
    written = {step.get("number") for step in steps if step["step"] == "done" and step["written"]}
    return [
        Change(
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
