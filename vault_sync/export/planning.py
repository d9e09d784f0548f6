"""What a document will hold, before pandoc is asked for anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault_sync.commands.dry_run import find_vault
from vault_sync.export.front_matter.degree_words import name_work
from vault_sync.export.front_matter.sources import read_front, virtual
from vault_sync.export.reading.link_index import LinkIndex
from vault_sync.export.selecting.rules import SelectionRules
from vault_sync.export.selecting.selection import select
from vault_sync.export.unfilled_blocks import leave_out_unfilled
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.export.selecting.outline import DocumentEntry
    from vault_sync.export.selecting.selection import DocumentSelection


@dataclass(frozen=True)
class DocumentPlan:
    """The notes of a document, those before its first chapter among them."""

    index: LinkIndex
    selection: DocumentSelection
    """With the notes before the first chapter at its head."""
    front: tuple[DocumentEntry, ...]
    front_empty: tuple[str, ...]
    """Keys of `document` in thesis.toml that say nothing yet."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Paths of the notes of the vault, in order."""
        return tuple(path for path in self.selection.notes if not virtual(path))


@dataclass(frozen=True)
class OutlineRow:
    """A line of the outline that a dry run shows."""

    level: int
    title: str
    path: str
    """Of the note; of the folder where that is a chapter; empty for a part."""
    kind: str
    """`front`, `part`, `folder`, `note` or `appendix`."""


def plan_document(
    workspace: Workspace, vault: Path, names: Sequence[str] = (), *, with_runs: bool = False
) -> DocumentPlan:
    """Choose the notes of a document: NAMES, or the whole thesis with its front matter.

    Raises:
        NotFoundError: a name, or one in thesis.toml, is no note and no folder of the vault.
    """
    degree, words = workspace.settings["document.degree"], Words(workspace.language)
    filled = leave_out_unfilled(LinkIndex.read(vault), words.language)
    index = name_work(filled, degree, words.language)
    chapters, rules = workspace.chapters, SelectionRules.of(workspace.settings)
    if names:
        chosen = select(index, chapters, words, names, with_runs=with_runs)
        return DocumentPlan(index, chosen, (), ())
    front = read_front(workspace, index)
    chosen = select(index, chapters, words, rules=rules, front=front.notes, with_runs=with_runs)
    whole = replace(chosen, entries=(*front.entries, *chosen.entries))
    return DocumentPlan(front.index, whole, front.entries, front.empty)


def outline(
    workspace: Workspace, names: Sequence[str] = (), *, with_runs: bool = False
) -> tuple[DocumentPlan, list[OutlineRow]]:
    """Return the plan of a document and its outline; no program is asked for anything.

    Raises:
        NotFoundError: as `plan_document` does.
    """
    plan = plan_document(workspace, find_vault(workspace), names, with_runs=with_runs)
    return plan, list(_rows(plan))


def _rows(plan: DocumentPlan) -> Iterator[OutlineRow]:
    for entry in plan.selection.entries:
        if entry.front:
            yield OutlineRow(1, entry.front, entry.path, "front")
        elif entry.number:
            yield OutlineRow(0, f"{entry.number}. {entry.title}", "", "part")
        else:
            kind = "note" if entry.note else "folder"
            title = entry.title or note_title(plan.index, entry.path)
            yield OutlineRow(entry.level, title, entry.path, "appendix" if entry.appendix else kind)


def note_title(index: LinkIndex, path: str) -> str:
    """Return the title of a note: its first line where that is a heading, else its name."""
    first = next((line for line in index.body(path)[0].split("\n") if line.strip()), "")
    match = re.fullmatch(r"#\s+(.*?)(?:\s+#+)?\s*", first)
    named = index.property(path, "title") or path.rpartition("/")[2].removesuffix(".md")
    return re.sub(r"[*_`]|<!--.*?-->", "", match[1]).strip() if match else named
