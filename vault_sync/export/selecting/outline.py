"""The chosen notes in their order, under the titles of their folders, in parts and appendices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.engine.disk.names import note_path
from vault_sync.export.reading.link_index import fold
from vault_sync.export.selecting import globs
from vault_sync.export.selecting.titles import folder_title, roman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vault_sync.export.selecting.rules import SelectionRules
    from vault_sync.rendering.words import Words

LOWEST = 5
"""Level of the lowest heading that a note or a folder may be."""


@dataclass(frozen=True)
class DocumentEntry:
    """A chapter that groups notes, a note, or the title of a part."""

    path: str
    """Of the note; of the folder where this is a chapter; empty for a part."""
    level: int
    """Of its heading; 0 for the only note of a document, whose title is the document's."""
    title: str = ""
    """What a chapter or a part is called; a note says that itself."""
    appendix: bool = False
    number: str = ""
    """Of a part, in Roman numerals."""
    front: str = ""
    """What a note before the first chapter is: `abstract`, `dedication`, …"""
    language: str = ""
    """Of a note before the first chapter, where it is not the document's."""

    @property
    def note(self) -> bool:
        """Whether it is a note."""
        return not self.title


class OutlineOrder:
    """The order of notes: as the settings say, by numbers, the thesis's own chapters, the letters.

    A folder or a note that the settings name comes before those beside it; one of another folder
    moves nothing.
    """

    def __init__(self, chapters: Mapping[str, str], first: Sequence[str] = ()) -> None:
        places = (fold(note_path(path, name)) for name, path in chapters.items() if "{" not in path)
        self.places = {path: number for number, path in enumerate(places)}
        self.first = first

    def sort(self, paths: Iterable[str]) -> list[str]:
        """Return PATHS of notes in the order of the document."""
        return sorted(paths, key=self._key)

    def _key(self, path: str) -> tuple[object, ...]:
        *folders, name = path.split("/")
        keys: list[object] = []
        for depth, folder in enumerate(folders, 1):
            place = globs.place(self.first, "/".join(folders[:depth]))
            keys += [place, number_of(folder), 1, len(self.places), _natural(folder)]
        if folders and is_folder_note(path):
            return (*keys, -1)
        place = self.places.get(fold(path), len(self.places))
        return (*keys, globs.place(self.first, path), number_of(name), 0, place, _natural(name))


@dataclass(frozen=True)
class Outline:
    """Makes entries of notes: folders are chapters and their sections, as deep as they are nested.

    Where all lie in one folder with others in it, that folder is no chapter of its own. A note
    named as its folder, or `index`, is that chapter.
    """

    order: OutlineOrder
    words: Words
    rules: SelectionRules
    own_word: Callable[[str], str]
    """What a note says of itself: `appendix`, or something else."""

    def entries(self, paths: Sequence[str]) -> list[DocumentEntry]:
        """Return the entries of a document of the notes at PATHS, which are in order."""
        base = _common_folder(paths)
        tops = dict.fromkeys(_top(path, base) for path in paths)
        numbered = any(number_of(top.rpartition("/")[2]) != float("inf") for top in tops)
        appended = [path for path in paths if self._appendix(path, base, numbered=numbered)]
        main = [path for path in paths if path not in set(appended)]
        entries: list[DocumentEntry] = []
        part = ""
        for number, title, group in self._parts(main, base):
            if title and title != part:
                entries.append(DocumentEntry("", 1, title, number=roman(number)))
                part = title
            entries += self._headed(group, base, appendix=False)
        return entries + self._headed(appended, base, appendix=True)

    def _appendix(self, path: str, base: str, *, numbered: bool) -> bool:
        if self.own_word(path) == "appendix":
            return True
        if self.rules.appendices:
            return globs.covered(self.rules.appendices, path)
        if self.rules.parts and self._part(_top(path, base)) is not None:
            return False
        return numbered and number_of(_top(path, base).rpartition("/")[2]) == float("inf")

    def _part(self, top: str) -> tuple[int, int] | None:
        """Return (number of the part, place in it) of a chapter; None where no part names it."""
        for number, patterns in enumerate(self.rules.parts.values()):
            place = globs.place(patterns, top)
            if place < len(patterns):
                return number, place
        return None

    def _parts(self, paths: Sequence[str], base: str) -> list[tuple[int, str, list[str]]]:
        """Group notes by part: what comes before the first and after the last stays without."""
        titles = list(self.rules.parts)
        places = [self._part(_top(path, base)) for path in paths]
        first = next((at for at, place in enumerate(places) if place is not None), len(paths))
        keyed = sorted(
            ((place or (-1 if at < first else len(titles), 0)), at)
            for at, place in enumerate(places)
        )
        groups: dict[int, list[str]] = {}
        for (number, _), at in keyed:
            groups.setdefault(number, []).append(paths[at])
        return [
            (number + 1, titles[number] if 0 <= number < len(titles) else "", group)
            for number, group in groups.items()
        ]

    def _headed(self, paths: Sequence[str], base: str, *, appendix: bool) -> list[DocumentEntry]:
        """Put the titles of folders before the notes in them."""
        entries: list[DocumentEntry] = []
        opened: set[str] = set()
        for path in paths:
            folders = _folders(path, base)
            of_folder = bool(folders) and is_folder_note(path)
            for depth, folder in enumerate(folders[: -1 if of_folder else None], 1):
                if folder not in opened:
                    title = folder_title(folder, self.words)
                    entries.append(DocumentEntry(folder, min(depth, LOWEST), title, appendix))
                opened.add(folder)
            level = len(folders) + (0 if of_folder else 1)
            opened.update(folders[-1:] if of_folder else ())
            entries.append(DocumentEntry(path, min(level, LOWEST), appendix=appendix))
        return entries


def is_folder_note(path: str) -> bool:
    """Whether a note speaks for its folder: `Results/Results.md`, `Results/index.md`."""
    *_, folder, name = ["", *path.split("/")]
    return bool(folder) and globs.bare(name) in (fold(folder), "index", "_index")


def number_of(name: str) -> float:
    """Return the number that a name starts with; none is infinite."""
    match = re.match(r"\d+", name)
    return int(match[0]) if match else float("inf")


def _natural(name: str) -> list[tuple[int, str]]:
    """Compare `2` before `10`."""
    parts = re.split(r"(\d+)", fold(name))
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _common_folder(paths: Sequence[str]) -> str:
    """Return the folder that holds all notes, where it holds folders of them; else nothing."""
    tops = {path.partition("/")[0] if "/" in path else "" for path in paths}
    if len(tops) != 1 or "" in tops:
        return ""
    (top,) = tops
    if number_of(top) != float("inf") or not any(path.count("/") > 1 for path in paths):
        return ""
    return f"{top}/"


def _top(path: str, base: str) -> str:
    """Return the chapter of a note: its folder below BASE, or the note itself."""
    rest = path.removeprefix(base)
    return base + rest.partition("/")[0]


def _folders(path: str, base: str) -> list[str]:
    """Return the folders around a note below BASE, the outermost first."""
    parts = path.removeprefix(base).split("/")[:-1]
    return [base + "/".join(parts[:count]) for count in range(1, len(parts) + 1)]
