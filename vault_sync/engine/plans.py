"""The types of planning: what a vault should hold, and the plan that brings it there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vault_sync.engine.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.engine.state import Patch
    from vault_sync.engine.text.properties import Scalar, Value


@dataclass(frozen=True)
class WantedBlock:
    """A block as it should be now."""

    id: str
    template: str
    body: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    after: str = ""
    """Where the block is new in an existing note: the block it is put after, without asking."""


@dataclass(frozen=True)
class FieldUpdates:
    """What goes into the student's part of a run's note: answers newer on the record's side."""

    values: Mapping[str, Value] = field(default_factory=dict)
    """Properties, set whatever stands there."""
    splices: tuple[tuple[int, int, bytes], ...] = ()
    """Start, stop and new bytes of stretches of the note as it was read."""
    known: Mapping[str, Any] = field(default_factory=dict)
    """What is remembered of the student's answers even where nothing is written."""
    after: Mapping[str, Any] = field(default_factory=dict)
    """What is remembered of them once this is written."""


@dataclass(frozen=True)
class WantedNote:
    """A note that the tool makes once, and the blocks it keeps true there."""

    id: str
    """Its `thesis_id`."""
    path: str
    """Where it is made; it may have moved since."""
    skeleton: bytes
    """The whole note as it is made, with empty blocks; unread where the note stands already."""
    blocks: tuple[WantedBlock, ...] = ()
    properties: Mapping[str, Scalar] = field(default_factory=dict)
    """Those that the tool keeps up to date."""
    updates: FieldUpdates | None = None


@dataclass(frozen=True)
class WantedFile:
    """A file that the tool owns whole: a picture, a base, a canvas."""

    path: str
    content: bytes


@dataclass(frozen=True)
class Wanted:
    """All that a vault should hold."""

    notes: tuple[WantedNote, ...] = ()
    blocks: tuple[WantedBlock, ...] = ()
    """Blocks that a student asked for with markers of their own."""
    files: tuple[WantedFile, ...] = ()
    refused: tuple[Trouble, ...] = ()
    """Blocks that can't be rendered, such as of a changed record."""
    warnings: tuple[str, ...] = ()
    """What the student should know of, though everything was rendered."""


@dataclass(frozen=True)
class Write:
    """One file to write."""

    path: str
    before: bytes | None
    """None where the file must not exist yet."""
    after: bytes | None
    """None where the file is to be removed; equal to `before` where only the memory changes."""
    note: str = ""
    bodies: Mapping[str, bytes] = field(default_factory=dict)
    """Block id -> its new base."""
    properties: Mapping[str, str] = field(default_factory=dict)
    kept: tuple[bytes, ...] = ()
    """Bodies that the student decided to keep as edited, to be known again after a formatter."""
    whole: bool = False
    """A file that the tool owns whole, such as a picture."""
    remember: Patch | None = None
    """What is to be remembered of it, where that does not follow from the rest."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    """What is to be remembered of the student's answers there."""


@dataclass(frozen=True)
class Trouble:
    """Something that was not written, where, and why."""

    path: str
    reason: str
    line: int = 0
    """1-based; 0 where no line is meant."""
    block: str = ""
    new: bytes = b""
    """Of a conflict: the version that was not written."""
    disk: bytes = b""
    """Of a conflict: the student's version."""
    key: str = ""
    """Of a conflict: the property it is about."""

    @property
    def address(self) -> str:
        """What a student types to decide about it: `NOTE#BLOCK`, `NOTE#property` or a file."""
        return "#".join(filter(None, (self.path, self.block or self.key)))

    def __str__(self) -> str:
        return f"{self.path}{f':{self.line}' if self.line else ''}: {self.reason}"


@dataclass(frozen=True)
class Options:
    """What a sync is allowed to do besides writing what is new."""

    merge: bool = False
    """Write clean merges of an edited block and its new version."""
    recreate: bool = False
    """Make deleted notes and blocks again."""
    join: bool = False
    """Add a missing block at the end of a note that exists."""
    accept_deletions: bool = False
    """Believe that many notes were deleted on purpose."""
    reopen: bool = False
    """Count what the student settled before as a conflict again."""


@dataclass(frozen=True)
class Plan:
    """Every write to come, and everything that will not be written."""

    writes: tuple[Write, ...] = ()
    unchanged: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    """Addresses of what differs from its new version because the student decided so."""
    lacking: tuple[str, ...] = ()
    """Addresses of blocks that a note of the student's never had."""
    conflicts: tuple[Trouble, ...] = ()
    refused: tuple[Trouble, ...] = ()
    warnings: tuple[str, ...] = ()
    state: State = field(default_factory=State)
    """What is to be remembered even if nothing is written: moves and deletions."""


def state_patch(write: Write) -> Patch:
    """Return the patch of the state that goes with WRITE, for when it has been done."""
    if write.remember is not None:
        return write.remember
    if write.whole and write.after is not None:
        return {"wholes": {write.path: hashlib.sha256(write.after).hexdigest()}}
    patch: dict[str, dict[str, Any]] = {"blocks": dict.fromkeys(write.bodies, write.path)}
    if write.note:
        patch["notes"] = {write.note: write.path}
    if write.note and write.properties:
        patch["properties"] = {write.note: dict(write.properties)}
    if write.note and write.answers:
        patch["answers"] = {write.note: dict(write.answers)}
    return patch
