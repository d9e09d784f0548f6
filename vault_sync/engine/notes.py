"""What a vault holds, read once: the snapshot that planning works on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import HeldError, UnavailableError
from featherface.patience import insist
from vault_sync.engine.copies import is_copy, twins
from vault_sync.engine.markers import Scan, scan
from vault_sync.engine.properties import value_of
from vault_sync.engine.windows import extended, is_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vault_sync.engine.markers import Block

MOMENT = 5.0
"""Seconds to wait for a note that another program lets nobody read."""
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

    @cached_property
    def by_id(self) -> dict[str, list[Note]]:
        """Return `thesis_id` -> the notes that carry it."""
        found: dict[str, list[Note]] = {}
        for note in self.notes.values():
            if note.id:
                found.setdefault(note.id, []).append(note)
        return found

    @cached_property
    def blocks(self) -> dict[str, list[tuple[Note, Block]]]:
        """Return block id -> where it stands; more than one place is a fault."""
        found: dict[str, list[tuple[Note, Block]]] = {}
        for note in self.notes.values():
            for block in note.scan.blocks:
                found.setdefault(block.id, []).append((note, block))
        return found

    def with_files(self, wholes: Mapping[str, bytes], unreadable: Mapping[str, str]) -> Snapshot:
        """Return the snapshot with files owned whole; what was found in the notes stays found."""
        made = replace(self, wholes=wholes, unreadable=unreadable)
        made.__dict__.update(by_id=self.by_id, blocks=self.blocks)
        return made

    def taken(self, path: str) -> str | None:
        """Return the existing path that PATH would collide with, or None."""
        return self.files.get(path.lower())


def read_vault(root: Path) -> Snapshot:
    """Read the notes of the vault; hidden folders, symbolic links and junctions are passed by.

    A note that another program holds is waited for a moment, then told as unreadable.

    Raises:
        UnavailableError: a folder can't be read, so nobody knows what is gone.
    """
    notes: dict[str, Note] = {}
    files: dict[str, str] = {}
    copies: list[str] = []
    unreadable: dict[str, str] = {}
    for path, entry in _walk(root, ""):
        files[path.lower()] = path
        if is_copy(entry.name):
            copies.append(path)
        elif path.lower().endswith(".md"):
            try:
                notes[path] = Note(path, _read(entry.path))
            except OSError as error:
                unreadable[path] = f"can't be read: {error.strerror}"
            except HeldError as error:
                unreadable[path] = error.message
    for path in twins(notes):
        del notes[path]
        copies.append(path)
    return Snapshot(notes, files, unreadable=unreadable, copies=tuple(sorted(copies)))


def _walk(folder: Path | str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        entries = sorted(os.scandir(extended(str(folder))), key=lambda entry: entry.name)
    except OSError as error:
        raise UnavailableError(
            f"can't read the vault's folder {folder}: {error.strerror}",
            "check that the vault is mounted and that you may read it",
        ) from error
    for entry in entries:
        if entry.name.startswith(".") or leads_elsewhere(entry):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
        elif entry.is_file(follow_symlinks=False):
            yield f"{prefix}{entry.name}", entry


def leads_elsewhere(entry: os.DirEntry[str], system: str = os.name) -> bool:
    """Whether ENTRY is a junction of Windows, which calls itself a folder; there a look is free."""
    return system == "nt" and is_link(entry.stat(follow_symlinks=False))


def _read(path: str) -> bytes:
    try:
        return _content(path)
    except PermissionError:
        return insist(lambda: _content(path), Path(path), seconds=MOMENT, verb="read")


def _content(path: str) -> bytes:
    with open(extended(path), "rb") as file:  # noqa: PTH123 - thousands of times per sync
        return file.read()
