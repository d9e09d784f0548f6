"""Which notes make up the document, in which order, under which chapters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, unknown
from vault_sync.engine.disk.names import parent
from vault_sync.export.reading.link_index import fold
from vault_sync.export.selecting import globs
from vault_sync.export.selecting.obsidian_folders import read_folders
from vault_sync.export.selecting.outline import DocumentEntry, Outline, OutlineOrder
from vault_sync.export.selecting.rules import NoteRules, SelectionRules
from vault_sync.export.selecting.titles import folder_title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.rendering.words import Words


@dataclass(frozen=True)
class DocumentSelection:
    """What goes into a document."""

    entries: tuple[DocumentEntry, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Note that a whole thesis does without -> why, of `rules.REASONS`."""
    bare_headings: bool = False
    """Whether headings with nothing below them are printed: a slide may be a title only."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Paths of the notes, in order."""
        return tuple(entry.path for entry in self.entries if entry.note)

    @property
    def left_out(self) -> tuple[str, ...]:
        """Notes that a whole thesis does without."""
        return tuple(self.reasons)


def select(
    index: LinkIndex,
    chapters: Mapping[str, str],
    words: Words,
    names: Sequence[str] = (),
    *,
    rules: SelectionRules | None = None,
    front: Sequence[str] = (),
    with_runs: bool = False,
) -> DocumentSelection:
    """Choose what NAMES (notes, folders) stand for, in their order; the whole thesis without any.

    CHAPTERS maps the thesis's own chapters to their notes: in one folder they keep that order.
    RULES say what a whole thesis holds; the notes FRONT stand before it, and are no chapters.

    Raises:
        NotFoundError: a name, or one that RULES give, is no note and no folder of the vault, or
            nothing is left.
    """
    rules = rules or SelectionRules()
    _check_names(index, rules)
    judge = NoteRules(index, rules, read_folders(index.root), chapters.get("log-template", ""))
    order = OutlineOrder(chapters, rules.order)
    reasons = {path: judge.reason(path) for path in order.sort(index.notes)}
    if names:
        entries = _named(index, order, words, names)
    else:
        chosen = [path for path, reason in reasons.items() if not reason and path not in front]
        entries = Outline(order, words, rules, judge.own_word).entries(chosen)
    if with_runs:
        entries += _runs(index, order, words, {entry.path for entry in entries})
    included = {entry.path for entry in entries} | set(front)
    if not any(entry.note for entry in entries):
        raise NotFoundError(
            f"the vault {index.root} holds no chapter to export",
            "fill it with: thesis report sync --to vault; or name a note: thesis vault export NOTE",
        )
    left = {} if names else {path: why for path, why in reasons.items() if path not in included}
    return DocumentSelection(tuple(entries), left)


def _check_names(index: LinkIndex, rules: SelectionRules) -> None:
    """Make sure that the settings name what there is."""
    for key, pattern in rules.named():
        if globs.wild(pattern) and key != "parts":
            continue
        if not any(globs.covers(pattern, path) for path in index.notes):
            raise NotFoundError(
                f"thesis.toml: export.{key}: "
                + unknown("note or folder of the vault", pattern, _known(index)),
                f"correct {key} under [export]; thesis vault export --dry-run lists the notes",
            )


def _known(index: LinkIndex) -> set[str]:
    folders = {parent(path) for path in index.notes} - {""}
    known = {path.removesuffix(".md") for path in index.notes} | folders
    return known | {path.rpartition("/")[2] for path in known}


def _runs(
    index: LinkIndex, order: OutlineOrder, words: Words, included: set[str]
) -> list[DocumentEntry]:
    runs = [path for path in order.sort(index.notes) if index.identity(path).startswith("run/")]
    runs = [path for path in runs if path not in included]
    if not runs:
        return []
    title = str(words.say("export.runs"))
    head = DocumentEntry(f"{parent(runs[0])}/", 1, title, appendix=True)
    return [head, *(DocumentEntry(path, 2, appendix=True) for path in runs)]


def _named(
    index: LinkIndex, order: OutlineOrder, words: Words, names: Sequence[str]
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
    index: LinkIndex, order: OutlineOrder, words: Words, name: str
) -> list[DocumentEntry]:
    """Return what one NAME stands for: a folder's notes, or a note."""
    wanted = _inside(index, name)
    folder = fold(wanted.strip("/"))
    within = [path for path in index.notes if fold(path).startswith(f"{folder}/")] if folder else []
    if within:
        place = order.sort(within)[0][: len(wanted.strip("/"))]
        return [
            DocumentEntry(place, 1, folder_title(place, words)),
            *(DocumentEntry(path, 2) for path in order.sort(within)),
        ]
    note = index.note(wanted)
    if note is None:
        raise NotFoundError(
            unknown("note or folder of the vault", name, _known(index)),
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
