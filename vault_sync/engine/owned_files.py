"""Three-way decisions over the properties of a note and over files owned whole, as over blocks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vault_sync.engine.plans import Trouble, Write
from vault_sync.engine.state import FOREVER, pair_digest
from vault_sync.engine.text import properties
from vault_sync.engine.text.property_values import same_value

if TYPE_CHECKING:
    from vault_sync.engine.notes import Note, Snapshot
    from vault_sync.engine.plans import WantedFile, WantedNote
    from vault_sync.engine.state import State
    from vault_sync.engine.text.properties import Scalar

STAY_DELETED = (".base", ".canvas")
"""Files owned whole that a student may delete for good, as a note; pictures come back, for notes
show them. They are text, whose line ends git may convert."""


@dataclass
class PropertyPlan:
    """What a sync does about the properties of one note."""

    changes: dict[str, Scalar] = field(default_factory=dict)
    conflicts: list[Trouble] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Addresses of those that stay as the student decided."""


def decide_properties(note: Note, wanted: WantedNote, state: State) -> PropertyPlan:
    """Decide over each property that the tool keeps up to date.

    Raises:
        RefusedError: a property stands there twice.
        UnicodeDecodeError: a value is no text.
    """
    written = state.properties.get(wanted.id, {})
    front = properties.read_front_matter(note.data)
    plan = PropertyPlan()
    for key, value in wanted.properties.items():
        new, place = properties.write_value(value), front.find(key) if front else None
        disk = None if place is None or place.raw is None else place.raw.decode()
        if same_value(disk, new) or (place is None and key in written):
            continue
        if place is None or same_value(disk, written.get(key, "")):
            plan.changes[key] = value
        elif is_settled(state, property_key(wanted.id, key), (disk or "").encode(), new.encode()):
            plan.kept.append(f"{note.path}#{key}")
        else:
            reason = f"the property {key!r} was edited by hand; its value is {new}"
            now = (disk or "").encode()
            plan.conflicts.append(
                Trouble(note.path, reason, place.line, new=new.encode(), disk=now, key=key)
            )
    return plan


def decide_whole(
    wanted: WantedFile, snapshot: Snapshot, state: State, *, recreate: bool
) -> Write | Trouble | str | None:
    """Return the write, the conflict, or the path that stays; None where there is nothing."""
    path, disk = wanted.path, snapshot.wholes.get(wanted.path)
    if disk is not None and is_current(path, disk, wanted.content):
        return path
    if disk is None:
        gone = path in state.wholes and stays_deleted(path)
        return None if gone and not recreate else Write(path, None, wanted.content, whole=True)
    if state.wholes.get(path) == hashlib.sha256(_as_written(path, disk)).hexdigest():
        return Write(path, disk, wanted.content, whole=True)
    if is_settled(state, path, disk, wanted.content):
        return path
    return Trouble(path, "the file was changed by hand", new=wanted.content, disk=disk)


def stays_deleted(path: str) -> bool:
    """Whether the file at PATH, owned whole, is the student's to delete."""
    return path.endswith(STAY_DELETED)


def is_current(path: str, disk: bytes, content: bytes) -> bool:
    """Whether the file owned whole at PATH holds CONTENT, whatever git made of its line ends."""
    return disk == content or _as_written(path, disk) == content


def _as_written(path: str, disk: bytes) -> bytes:
    """Return DISK with the line ends that we write, where the file is text."""
    return disk.replace(b"\r\n", b"\n") if stays_deleted(path) else disk


def is_settled(state: State, name: str, disk: bytes, new: bytes) -> bool:
    """Whether the student chose their own version over this new one."""
    return state.settled.get(name) in (pair_digest(disk, new), FOREVER)


def property_key(note: str, key: str) -> str:
    """Name a property of a note among what was settled."""
    return f"{note}#{key}"
