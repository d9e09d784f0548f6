"""What a vault holds, read once: the snapshot that planning works on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from vault_sync.engine.text.markers import Scan, scan
from vault_sync.engine.text.properties import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.engine.text.markers import Block

IDENTITY = "thesis_id"
"""The property by which a note is found again after it was renamed or moved."""


@dataclass(frozen=True)
class Note:
    """A Markdown file of the vault."""

    path: str
    """From the vault, with forward slashes."""
    data: bytes

    @cached_property
    def scan(self) -> Scan:
        """The blocks, or what is wrong with the markers."""
        return scan(self.data)

    @cached_property
    def id(self) -> str | None:
        """The `thesis_id` property."""
        return value_of(self.data, IDENTITY)


@dataclass(frozen=True)
class Snapshot:
    """All of the vault that matters to a sync; planning reads this and no file."""

    notes: Mapping[str, Note] = field(default_factory=dict)
    """Path -> note."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path in lower case -> path, of every file: on Windows case makes no difference."""
    wholes: Mapping[str, bytes] = field(default_factory=dict)
    """Path -> content, of the files owned whole that the sync was asked to look at."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Path -> why a file that is there can't be read."""
    copies: tuple[str, ...] = ()
    """Conflict copies made by synchronisers, left alone."""
    links: frozenset[str] = frozenset()
    """Paths of links that are called as notes; nothing is read or written through them."""

    @cached_property
    def by_id(self) -> dict[str, list[Note]]:
        """Return `thesis_id` -> the notes that carry it."""
        notes_by_id: dict[str, list[Note]] = {}
        for note in self.notes.values():
            if note.id:
                notes_by_id.setdefault(note.id, []).append(note)
        return notes_by_id

    @cached_property
    def blocks(self) -> dict[str, list[tuple[Note, Block]]]:
        """Return block id -> where it stands; more than one place is a fault."""
        places: dict[str, list[tuple[Note, Block]]] = {}
        for note in self.notes.values():
            for block in note.scan.blocks:
                places.setdefault(block.id, []).append((note, block))
        return places

    def with_files(self, wholes: Mapping[str, bytes], unreadable: Mapping[str, str]) -> Snapshot:
        """Return the snapshot with files owned whole; the indexes over the notes are reused."""
        snapshot = replace(self, wholes=wholes, unreadable=unreadable)
        snapshot.__dict__.update(by_id=self.by_id, blocks=self.blocks)
        return snapshot

    def collision(self, path: str) -> str | None:
        """Return the existing path that PATH would collide with, or None."""
        return self.files.get(path.lower())
