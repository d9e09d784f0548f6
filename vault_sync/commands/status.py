"""The status of a vault: what a sync would find, and what is waiting for a decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.commands import conflicts
from vault_sync.commands.dry_run import find_vault, survey_vault
from vault_sync.commands.ownership import check_owner
from vault_sync.engine.disk.locking import holder
from vault_sync.engine.history import latest, read_history
from vault_sync.engine.owned_files import stays_deleted
from vault_sync.engine.plans import Options
from vault_sync.engine.recovery import interrupted
from vault_sync.engine.state import state_path

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.commands.dry_run import Survey


@dataclass(frozen=True)
class VaultStatus:
    """What a sync would find in a vault, and what waits for the student.

    All paths are from the vault; addresses are `NOTE#BLOCK`, `NOTE#property` or a file.
    """

    vault: Path
    stopped: str = ""
    """Why a sync would stop before it writes anything; empty where it would not."""
    in_sync: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    """Files that a sync would write."""
    conflicts: list[str] = field(default_factory=list)
    """Addresses of what was edited by hand."""
    kept: list[str] = field(default_factory=list)
    """Addresses of what differs because the student decided so."""
    adopted: list[str] = field(default_factory=list)
    """Addresses of blocks that became prose."""
    lacking: list[str] = field(default_factory=list)
    """Addresses of blocks that a chapter of the student's own has no place for."""
    deleted: list[str] = field(default_factory=list)
    """Notes and addresses of blocks that the student deleted."""
    moved: dict[str, str] = field(default_factory=dict)
    """Where a note is made -> where it stands now."""
    refused: list[str] = field(default_factory=list)
    """One sentence for each file that is left alone because something is broken."""
    copies: list[str] = field(default_factory=list)
    """Conflict copies of synchronisers."""
    recovered: list[Path] = field(default_factory=list)
    """Saves that crossed a write and were kept aside."""
    interrupted: list[Path] = field(default_factory=list)
    """Journals of writes that a crash cut off; the next write completes them."""
    locked: str | None = None
    """Who is writing into the vault now."""
    undo: int | None = None
    """The number of the latest write, which `vault undo` would take back."""


def inspect(workspace: Workspace, to: Path | str | None = None) -> VaultStatus:
    """Look at the vault; nothing is written, and no lock is held.

    Raises:
        NotFoundError: there is no such vault.
        UnavailableError: it can't be read.
    """
    vault = find_vault(workspace, to)
    stopped, survey = _survey(workspace, vault)
    identity = state_path(workspace.state, vault, workspace.vault).stem
    entry = latest(read_history(workspace.state, identity))
    sync_plan = survey.plan
    return VaultStatus(
        vault=vault,
        stopped=stopped,
        in_sync=list(sync_plan.unchanged),
        pending=[write.path for write in sync_plan.writes],
        conflicts=[trouble.address for trouble in sync_plan.conflicts],
        kept=list(sync_plan.kept),
        adopted=[f"{path}#{block}" for block, path in sync_plan.state.adopted.items()],
        lacking=list(sync_plan.lacking),
        deleted=_deleted(survey),
        moved=_moved(survey),
        refused=[str(trouble) for trouble in sync_plan.refused],
        copies=list(survey.snapshot.copies),
        recovered=conflicts.recovered_saves(workspace),
        interrupted=interrupted(workspace.state, identity),
        locked=holder(vault),
        undo=None if entry is None else entry.number,
    )


def _survey(workspace: Workspace, vault: Path) -> tuple[str, Survey]:
    """Survey the vault even where a sync would stop; return why it would, else an empty text."""
    try:
        check_owner(workspace, vault)
        return "", survey_vault(workspace, vault)
    except RefusedError as error:
        return error.message, survey_vault(workspace, vault, Options(accept_deletions=True))


def _deleted(survey: Survey) -> list[str]:
    """Return what stands nowhere although it was written once."""
    state, blocks = survey.plan.state, survey.snapshot.blocks
    notes = [note for note in survey.wanted.notes if note.id in state.deleted]
    gone = {block.id for note in notes for block in note.blocks}
    left = [
        f"{state.blocks[block_id]}#{block_id}"
        for block_id, block in survey.blocks.items()
        if block_id in state.blocks and block_id not in blocks and block.body
        if block_id not in state.adopted and block_id not in gone
    ]
    there = {*survey.snapshot.wholes, *survey.snapshot.unreadable}
    lost = [path for path in filter(stays_deleted, state.wholes) if path not in there]
    return sorted([*(note.path for note in notes), *left, *lost])


def _moved(survey: Survey) -> dict[str, str]:
    moved = {}
    for wanted in survey.wanted.notes:
        carriers = survey.snapshot.by_id.get(wanted.id, [])
        if len(carriers) == 1 and carriers[0].path != wanted.path:
            moved[wanted.path] = carriers[0].path
    return moved
