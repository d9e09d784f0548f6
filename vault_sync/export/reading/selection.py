"""Which notes make up the document, in which order, under which chapters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, unknown
from vault_sync.engine.disk.names import note_path, parent
from vault_sync.export.reading.link_index import fold
from vault_sync.export.reading.titles import title_of_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.rendering.words import Words

ASIDE = frozenset({"templates", "weekly", "attachments", "archive"})
"""Folders of the vault that are no part of a thesis."""
ASIDE_NOTES = ("run/", "weekly/", "gallery/", "chapter/dashboard", "chapter/log-template")
"""How the `thesis_id` of notes starts that are no part of it either."""


@dataclass(frozen=True)
class DocumentEntry:
    """A chapter that groups notes, or a note."""

    path: str
    """Of the note; of the folder where this is a chapter."""
    level: int
    """Of its heading; 0 for the only note of a document, whose title is the document's."""
    title: str = ""
    """What a chapter is called; a note says that itself."""
    appendix: bool = False

    @property
    def note(self) -> bool:
        """Whether it is a note."""
        return not self.title


@dataclass(frozen=True)
class DocumentSelection:
    """What goes into a document."""

    entries: tuple[DocumentEntry, ...]
    left_out: tuple[str, ...]
    """Notes that a whole thesis does without."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Paths of the notes, in order."""
        return tuple(entry.path for entry in self.entries if entry.note)


def select(
    index: LinkIndex,
    chapters: Mapping[str, str],
    words: Words,
    names: Sequence[str] = (),
    *,
    with_runs: bool = False,
) -> DocumentSelection:
    """Choose what NAMES (notes, folders) stand for, in their order; the whole thesis without any.

    CHAPTERS maps the thesis's own chapters to their notes: in one folder they keep that order.

    Raises:
        NotFoundError: a name is no note and no folder of the vault, or nothing is left.
    """
    order = _NoteOrder(chapters)
    entries = _named(index, order, words, names) if names else _whole(index, order, words)
    if with_runs:
        entries += _runs(index, order, words, {entry.path for entry in entries})
    included = {entry.path for entry in entries}
    if not any(entry.note for entry in entries):
        raise NotFoundError(
            f"the vault {index.root} holds no chapter to export",
            "fill it with: thesis report sync --to vault; or name a note: thesis vault export NOTE",
        )
    left = () if names else tuple(path for path in order.sort(index.notes) if path not in included)
    return DocumentSelection(tuple(entries), left)


class _NoteOrder:
    """The order of notes: numbers first, then the thesis's own chapters, then the alphabet."""

    def __init__(self, chapters: Mapping[str, str]) -> None:
        places = (fold(note_path(path, name)) for name, path in chapters.items() if "{" not in path)
        self.places = {path: number for number, path in enumerate(places)}

    def sort(self, paths: Iterable[str]) -> list[str]:
        return sorted(paths, key=self.key)

    def key(self, path: str) -> tuple[object, ...]:
        *folders, name = path.split("/")
        keys: list[object] = []
        for folder in folders:
            keys += [_number(folder), 1, len(self.places), _natural(folder)]
        place = self.places.get(fold(path), len(self.places))
        return (*keys, _number(name), 0, place, _natural(name))


def _number(name: str) -> float:
    match = re.match(r"\d+", name)
    return int(match[0]) if match else float("inf")


def _natural(name: str) -> list[tuple[int, str]]:
    """Compare `2` before `10`."""
    parts = re.split(r"(\d+)", fold(name))
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _whole(index: LinkIndex, order: _NoteOrder, words: Words) -> list[DocumentEntry]:
    """Every note but those aside; unnumbered folders follow numbered ones, as appendices."""
    paths = [path for path in order.sort(index.notes) if not _aside(index, path)]
    numbered = any(_number(path) != float("inf") for path in paths if "/" in path)
    entries: list[DocumentEntry] = []
    folders: set[str] = set()
    for path in paths:
        top = path.partition("/")[0] if "/" in path else ""
        appendix = numbered and _number(path) == float("inf")
        if top and top not in folders:
            folders.add(top)
            entries.append(DocumentEntry(top, 1, _title(top, words), appendix))
        entries.append(DocumentEntry(path, 2 if top else 1, appendix=appendix))
    return entries


def _aside(index: LinkIndex, path: str) -> bool:
    folders = [fold(part) for part in path.split("/")[:-1]]
    is_drawing = fold(path).endswith(".excalidraw.md")
    return (
        is_drawing
        or any(folder in ASIDE for folder in folders[:1])
        or index.identity(path).startswith(ASIDE_NOTES)
        or fold(path.rpartition("/")[2]) == "dashboard.md"
    )


def _runs(
    index: LinkIndex, order: _NoteOrder, words: Words, included: set[str]
) -> list[DocumentEntry]:
    runs = [path for path in order.sort(index.notes) if index.identity(path).startswith("run/")]
    runs = [path for path in runs if path not in included]
    if not runs:
        return []
    head = DocumentEntry(f"{parent(runs[0])}/", 1, str(words.say("export.runs")), appendix=True)
    return [head, *(DocumentEntry(path, 2, appendix=True) for path in runs)]


def _named(
    index: LinkIndex, order: _NoteOrder, words: Words, names: Sequence[str]
) -> list[DocumentEntry]:
    entries: list[DocumentEntry] = []
    included: set[str] = set()
    for name in names:
        for entry in _entries_of(index, order, words, name):
            if entry.path not in included:
                included.add(entry.path)
                entries.append(entry)
    if len(entries) == 1:
        return [DocumentEntry(entries[0].path, 0)]
    return entries


def _entries_of(
    index: LinkIndex, order: _NoteOrder, words: Words, name: str
) -> list[DocumentEntry]:
    """Return what one NAME stands for: a folder's notes, or a note."""
    wanted = _inside(index, name)
    folder = fold(wanted.strip("/"))
    within = [path for path in index.notes if fold(path).startswith(f"{folder}/")] if folder else []
    if within:
        place = order.sort(within)[0][: len(wanted.strip("/"))]
        title = _title(place.rpartition("/")[2], words)
        return [
            DocumentEntry(place, 1, title),
            *(DocumentEntry(path, 2) for path in order.sort(within)),
        ]
    note = index.note(wanted)
    if note is None:
        folders = {parent(path) for path in index.notes} - {""}
        known = {path.removesuffix(".md") for path in index.notes} | folders
        known |= {path.rpartition("/")[2] for path in known}
        raise NotFoundError(
            unknown("note or folder of the vault", name, known),
            "thesis vault export, without a name, exports the whole thesis",
        )
    return [DocumentEntry(note, 1)]


def _inside(index: LinkIndex, name: str) -> str:
    """Return NAME as a path from the vault, where it is one from elsewhere."""
    from pathlib import Path  # noqa: PLC0415 - only here

    try:
        path = Path(name).expanduser()
        if path.exists():
            return path.resolve().relative_to(index.root).as_posix()
    except (OSError, ValueError, RuntimeError):
        pass
    return name.replace("\\", "/")


def _title(folder: str, words: Words) -> str:
    """Return what a folder is called in the document: without its number, in its language."""
    name = title_of_folder(folder)
    known = words.name("folder", fold(name))
    return str(known) if known != fold(name) else re.sub(r"[-_]+", " ", name)
