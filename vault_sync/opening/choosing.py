"""Which note a selector means: a chapter, a report or block, a claim, a run, or a note's name."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from experiments.records.store import Store
from featherface.errors import NotFoundError, UsageError, unknown
from vault_sync.commands.dry_run import find_vault
from vault_sync.content.chapters import pipeline_identity
from vault_sync.engine.vault_reader import read_vault
from vault_sync.prose.choice import choose_note
from vault_sync.rendering.sources import run_identity

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.engine.notes import Snapshot

CLAIMS = "milestones"
"""The report that shows claims."""


@dataclass(frozen=True)
class ChosenNote:
    """A note of the vault that was meant."""

    vault: Path
    note: str
    """Path from the vault."""
    part: str = ""
    """A heading, or `^` and the id of a block."""

    @property
    def file(self) -> Path:
        """Where it is."""
        return self.vault / self.note


def choose(workspace: Workspace, selector: str) -> ChosenNote:
    """Return the note that SELECTOR means; what follows a `#` is a heading there.

    Raises:
        NotFoundError: there is no vault, or nothing of that name in it.
        UsageError: several notes may be meant.
    """
    vault = find_vault(workspace)
    snapshot = read_vault(vault)
    name, _, part = selector.partition("#")
    for look in (_chapter, _block, _claim, _run):
        path = look(workspace, snapshot, name)
        if path is not None:
            return ChosenNote(vault, path, part)
    try:
        return ChosenNote(vault, choose_note(snapshot, vault, name).path, part)
    except UsageError:
        raise
    except NotFoundError as error:
        raise _no_such(workspace, snapshot, name) from error


def _no_such(workspace: Workspace, snapshot: Snapshot, name: str) -> NotFoundError:
    """Name the nearest of all that may be meant; the notes, where nothing is near."""
    notes = [path.rsplit("/", 1)[-1].removesuffix(".md") for path in snapshot.notes]
    runs = [run.id for run in Store(workspace).runs()]
    known = [*notes, *runs, *workspace.chapters, *snapshot.blocks, *workspace.milestones]
    near = [*get_close_matches(name, known), *notes]
    return NotFoundError(unknown("note", name, near), "thesis report list")


def _chapter(workspace: Workspace, snapshot: Snapshot, name: str) -> str | None:
    if name not in workspace.chapters:
        return None
    carriers = snapshot.by_id.get(f"chapter/{name}", [])
    path = f"{workspace.chapters[name]}.md"
    return carriers[0].path if carriers else path if path in snapshot.notes else None


def _block(_: Workspace, snapshot: Snapshot, name: str) -> str | None:
    """Find a block by its id, or the first block of a report."""
    if name in snapshot.blocks:
        return snapshot.blocks[name][0][0].path
    made = (
        note.path
        for places in snapshot.blocks.values()
        for note, block in places
        if block.template == name
    )
    return min(made, default=None)


def _claim(workspace: Workspace, snapshot: Snapshot, name: str) -> str | None:
    return _block(workspace, snapshot, CLAIMS) if name in workspace.milestones else None


def _run(workspace: Workspace, snapshot: Snapshot, name: str) -> str | None:
    """Find the note of a run; the log of its experiment, where the run has none."""
    try:
        run = Store(workspace).find(name)
    except (NotFoundError, UsageError):
        return None
    for identity in (run_identity(run), pipeline_identity(run.experiment)):
        carriers = snapshot.by_id.get(identity, [])
        if carriers:
            return carriers[0].path
    raise NotFoundError(f"{run.id} has no note in the vault yet", "thesis report sync makes it")
