"""The notes and texts that `[document]` of thesis.toml names, and what of it is still empty."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, unknown
from vault_sync.engine.notes import Note
from vault_sync.export.selecting.outline import DocumentEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.workspace.settings import Settings
    from experiments.workspace.workspace import Workspace
    from vault_sync.export.reading.link_index import LinkIndex

ABSTRACTS = {"abstract": ("en", "keywords"), "resume": ("fr", "mots_cles")}
"""Key of an abstract -> its language, and the key of its keywords."""
TEXTS = ("declarations", "dedication", "acknowledgements")
"""Keys of the other pages, in the order in which they stand."""
VIRTUAL = "thesis.toml: document."
"""Starts the path of a text that stands in thesis.toml itself."""
FACE = (
    *("institution", "degree", "discipline", "supervisors", "jury", "place"),
    *("deposit", "defence", "logo"),
)
"""Keys of the title page that a reader expects there."""
_LONGEST_NAME = 80


@dataclass(frozen=True)
class FrontSources:
    """What stands before the first chapter: entries of notes, and an index that knows them all."""

    entries: tuple[DocumentEntry, ...]
    index: LinkIndex
    """That of the vault, with the texts of thesis.toml as notes."""
    empty: tuple[str, ...]
    """Keys of `document` that say nothing yet."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Paths in the vault."""
        return tuple(entry.path for entry in self.entries if not virtual(entry.path))


def virtual(path: str) -> bool:
    """Whether PATH stands for a text of thesis.toml, not for a note of the vault."""
    return path.startswith(VIRTUAL)


def read_front(workspace: Workspace, index: LinkIndex) -> FrontSources:
    """Find the notes and texts of the pages before the first chapter.

    Raises:
        NotFoundError: what looks like a note's name is none of the vault.
    """
    settings = workspace.settings
    texts: dict[str, Note] = {}
    entries: list[DocumentEntry] = []
    for key, role, language in _places(workspace.language):
        values = settings[f"document.{key}"]
        for number, value in enumerate([values] if isinstance(values, str) else values, 1):
            path = _note(index, key, value) if value else ""
            if value and not path:
                path = f"{VIRTUAL}{key}" + (f" {number}" if number > 1 else "")
                texts[path] = Note(path, value.encode())
            if path:
                entries.append(DocumentEntry(path, 1, front=role, language=language))
    whole = replace(index, notes={**index.notes, **texts})
    filled = {entry.front for entry in entries if whole.body(entry.path)[0].strip()}
    return FrontSources(tuple(entries), whole, tuple(_empty(settings, filled)))


def _places(language: str) -> Iterator[tuple[str, str, str]]:
    """Yield (key, role, language) of each page, in order: the document's own abstract first."""
    for key in TEXTS:
        yield key, key, language
    for key in sorted(ABSTRACTS, key=lambda key: ABSTRACTS[key][0] != language):
        yield key, key, ABSTRACTS[key][0]


def _empty(settings: Settings, filled: set[str]) -> Iterator[str]:
    yield from (key for key in FACE if not settings[f"document.{key}"])
    for key, (_, keywords) in ABSTRACTS.items():
        yield from () if key in filled else (key,)
        yield from () if settings[f"document.{keywords}"] else (keywords,)
    yield from (key for key in TEXTS if key not in filled)


def _note(index: LinkIndex, key: str, value: str) -> str:
    """Return the path of the note that VALUE names; empty where it is a text."""
    line = value.strip()
    if "\n" in line or len(line) > _LONGEST_NAME:
        return ""
    note = index.note(line)
    if note:
        return note
    names = {path.removesuffix(".md") for path in index.notes}
    names |= {name.rpartition("/")[2] for name in names}
    like_a_path = line.endswith(".md") or re.fullmatch(r"\S[^/]*(?<! )/(?! ).*[^.!?…]", line)
    if like_a_path or difflib.get_close_matches(line, names, n=1, cutoff=0.8):
        raise NotFoundError(
            f"thesis.toml: document.{key}: {unknown('note of the vault', line, names)}",
            f"name a note, or write the text itself; correct {key} under [document]",
        )
    return ""
