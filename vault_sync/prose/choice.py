"""The notes that somebody named on the command line or in a hook."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vault_sync.engine.notes import Note, Snapshot

_PLACE = re.compile(r"(.+?)(?::(\d+))?(?::(\d+))?")


@dataclass(frozen=True)
class NoteChoice:
    """The notes that were meant."""

    notes: tuple[Note, ...]
    passed_over: tuple[str, ...] = ()
    """Files that exist and are no notes of the vault; a hook names all kinds of files."""


def choose_notes(snapshot: Snapshot, vault: Path, names: Sequence[str]) -> NoteChoice:
    """Return the notes that NAMES mean; all for none.

    They are paths from here or from the vault, of notes or folders, or names as in links.

    Raises:
        NotFoundError: there is no such file.
    """
    if not names:
        return NoteChoice(tuple(snapshot.notes.values()))
    chosen: dict[str, Note] = {}
    passed_over: list[str] = []
    for name in names:
        notes = _named(snapshot, vault, name)
        chosen |= {note.path: note for note in notes}
        if not notes:
            passed_over.append(_existing(snapshot, vault, name))
    return NoteChoice(tuple(chosen.values()), tuple(passed_over))


def choose_note(snapshot: Snapshot, vault: Path, name: str) -> Note:
    """Return the one note that NAME means.

    Raises:
        NotFoundError: there is none.
        UsageError: it is a folder of several.
    """
    notes = _named(snapshot, vault, name)
    if len(notes) > 1:
        paths = ", ".join(note.path for note in notes[:3])
        raise UsageError(f"{name!r} means several notes: {paths}", "name one of them")
    if not notes:
        _existing(snapshot, vault, name)
        raise NotFoundError(
            f"{name} is no note of the vault {vault}", "name a note: FOLDER/NOTE.md"
        )
    return notes[0]


def split_place(text: str) -> tuple[str, int | None, int | None]:
    """Split `note.md:12:5` into path, line and column; `C:` of Windows belongs to the path."""
    match = _PLACE.fullmatch(text)
    if match is None:
        return text, None, None
    line, column = (int(group) if group else None for group in match.groups()[1:])
    return match[1], line, column


def _named(snapshot: Snapshot, vault: Path, name: str) -> list[Note]:
    """Return the note at NAME, or the notes in the folder NAME."""
    for path in _candidates(vault, name):
        inside = [note for key, note in snapshot.notes.items() if _matches(key, path)]
        if inside:
            return inside
    if Path(name).exists():
        return []
    bare = _fold(name.removesuffix(".md"))
    alike = [note for key, note in snapshot.notes.items() if _fold(_bare(key)) == bare]
    return alike if len(alike) == 1 else []


def _bare(path: str) -> str:
    """Return what a note is called in links."""
    return path.rsplit("/", 1)[-1][: -len(".md")]


def _matches(key: str, path: str) -> bool:
    folded = _fold(key)
    return folded in (path, f"{path}.md") or not path or folded.startswith(f"{path}/")


def _candidates(vault: Path, name: str) -> Iterable[str]:
    """Yield what NAME may be as a path from the vault: seen from here, then from the vault."""
    plain = name.replace("\\", "/") if os.sep == "/" else name
    for form in dict.fromkeys((name, plain)):
        for root in (Path.cwd(), vault):
            full = Path(os.path.abspath(root / form))  # noqa: PTH100 - links are not followed here
            for place in (full, full.parent.resolve() / full.name):
                if place == vault or vault in place.parents:
                    relative = place.relative_to(vault).as_posix()
                    yield _fold("" if relative == "." else relative)


def _fold(path: str) -> str:
    """Return PATH as systems compare names that ignore case and composition."""
    return unicodedata.normalize("NFC", path).lower()


def _existing(snapshot: Snapshot, vault: Path, name: str) -> str:
    """Return NAME, a file that is no note of the vault."""
    if (Path.cwd() / name).exists() or (vault / name).exists():
        return name
    names = {path.rsplit("/", 1)[-1]: path for path in snapshot.notes}
    near = unknown("note", Path(name.replace("\\", "/")).name, names)
    raise NotFoundError(f"{name}: {near}", "thesis check numbers, for all notes")
