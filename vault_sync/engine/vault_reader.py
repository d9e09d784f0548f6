"""Read all notes of a vault; hidden folders, links and conflict copies are passed by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import HeldError, UnavailableError
from featherface.filesystem.retry import insist
from vault_sync.engine.copies import find_copies, is_copy
from vault_sync.engine.disk.windows import extended, is_link
from vault_sync.engine.notes import Note, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

MOMENT = 5.0
"""Seconds to wait for a note that another program lets nobody read."""


def read_vault(root: Path) -> Snapshot:
    """Read the notes of the vault; hidden folders, symbolic links and junctions are passed by.

    Links that are called as notes are told: nothing is read or written through them. A note that
    another program holds is waited for a moment, then listed as unreadable.

    Raises:
        UnavailableError: a folder can't be read, so nobody knows what is gone.
    """
    notes: dict[str, Note] = {}
    files: dict[str, str] = {}
    copies: list[str] = []
    links: set[str] = set()
    unreadable: dict[str, str] = {}
    for path, entry in _walk(root, ""):
        files[path.lower()] = path
        if entry.is_symlink():
            links.add(path)
        elif is_copy(entry.name):
            copies.append(path)
        elif path.lower().endswith(".md"):
            try:
                notes[path] = Note(path, _read(entry.path))
            except OSError as error:
                unreadable[path] = f"can't be read: {error.strerror}"
            except HeldError as error:
                unreadable[path] = error.message
    for path in find_copies(notes):
        del notes[path]
        copies.append(path)
    return Snapshot(
        notes,
        files,
        unreadable=unreadable,
        copies=tuple(sorted(copies)),
        links=frozenset(links),
    )


def _walk(folder: Path | str, prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        entries = sorted(os.scandir(extended(str(folder))), key=lambda entry: entry.name)
    except OSError as error:
        raise UnavailableError(
            f"can't read the vault's folder {folder}: {error.strerror}",
            "check that the vault is mounted and that you may read it",
        ) from error
    for entry in entries:
        if entry.name.startswith(".") or is_junction(entry):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
        elif entry.is_file(follow_symlinks=False) or _is_linked_note(entry):
            yield f"{prefix}{entry.name}", entry


def is_junction(entry: os.DirEntry[str], system: str = os.name) -> bool:
    """Whether ENTRY is a junction of Windows, which calls itself a folder.

    Windows keeps the answer in the entry; elsewhere no file is looked at.
    """
    return system == "nt" and is_link(entry.stat(follow_symlinks=False))


def _is_linked_note(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and entry.name.lower().endswith(".md")


def _read(path: str) -> bytes:
    try:
        return _content(path)
    except PermissionError:
        return insist(lambda: _content(path), Path(path), seconds=MOMENT, verb="read")


def _content(path: str) -> bytes:
    with open(extended(path), "rb") as file:  # noqa: PTH123 - thousands of times per sync
        return file.read()
