"""What a vault holds, what it should hold, and what a sync would do; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.records.seal import MEND
from experiments.wording.shell_quote import command
from featherface.errors import HeldError, NotFoundError, RefusedError, UsageError
from vault_sync.content.composing import Composer
from vault_sync.engine.disk.folders import open_folder
from vault_sync.engine.disk.names import parent
from vault_sync.engine.owned_files import stays_deleted
from vault_sync.engine.planning import plan
from vault_sync.engine.plans import Options
from vault_sync.engine.state import Bases, read_state, state_path
from vault_sync.engine.vault_reader import MOMENT, read_vault
from vault_sync.prose.summary import summarise
from vault_sync.rendering.sources import Sources
from vault_sync.run_note_fields.exchange import add_answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.workspace.workspace import Workspace
    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.plans import Plan, Wanted, WantedBlock
    from vault_sync.engine.state import State


@dataclass(frozen=True)
class Survey:
    """A vault as it stands, what it should hold, and the plan of a sync."""

    snapshot: Snapshot
    wanted: Wanted
    state: State
    bases: Bases
    plan: Plan

    def replan(self, options: Options) -> Plan:
        """Return what a sync with other OPTIONS would do."""
        return plan(self.snapshot, self.wanted, self.state, self.bases.find, options)

    @property
    def blocks(self) -> Mapping[str, WantedBlock]:
        """Block id -> the block as it should be."""
        of_notes = (block for note in self.wanted.notes for block in note.blocks)
        return {block.id: block for block in (*self.wanted.blocks, *of_notes)}


def survey_vault(
    workspace: Workspace,
    vault: Path,
    options: Options | None = None,
    only: str = "",
    *,
    prose: bool = True,
) -> Survey:
    """Read the vault, render the reports, and plan; only the cache of pictures is written.

    ONLY is the id of a note: the others stay as they are, and nothing is said of them. With PROSE
    the plan warns of bound numbers that are not what their records say.

    Raises:
        RefusedError: many notes are gone at once, or a chapter's path leaves the vault.
    """
    options = options or Options()
    state = read_state(state_path(workspace.state, vault, workspace.vault))
    snapshot = read_vault(vault)
    sources = Sources(workspace)
    composer = Composer(sources, snapshot, state, vault, recreate=options.recreate)
    if only:
        wanted = composer.note(only)
    else:
        wanted = add_answers(composer.compose(), sources, snapshot, state)
    # Those that nothing is to be shown in at present are looked for too: they are not deleted.
    paths = {*(file.path for file in wanted.files), *filter(stays_deleted, state.wholes)}
    snapshot = _with_wholes(snapshot, vault, sorted(paths))
    bases = Bases(workspace.state)
    sync_plan = plan(snapshot, wanted, state, bases.find, options)
    if any(MEND in trouble.reason for trouble in sync_plan.refused):
        # The chapters stay as they are: one command brings the records back.
        sync_plan = replace(sync_plan, writes=())
    if prose and not only:
        prose_warnings = summarise(workspace, snapshot, sources.store)
        sync_plan = replace(sync_plan, warnings=(*sync_plan.warnings, *prose_warnings))
    return Survey(snapshot, wanted, state, bases, sync_plan)


def find_vault(workspace: Workspace, to: Path | str | None = None) -> Path:
    """Return the folder of the vault: the workspace's, or the folder TO.

    Raises:
        NotFoundError: it does not exist or is no folder.
        UsageError: it holds the records or lies among them.
    """
    vault = vault_path(workspace, to)
    check_place(workspace.root, vault)
    if not vault.is_dir():
        what = "is no folder" if vault.exists() else "does not exist"
        make = command(["thesis", "init", str(workspace.root)])
        hint = f"make it with: {make}, or correct vault in thesis.toml"
        if vault != workspace.vault:
            hint = "make that folder first, or: thesis report sync --to vault"
        raise NotFoundError(f"the vault {vault} {what}", hint)
    return vault


def vault_path(workspace: Workspace, to: Path | str | None = None) -> Path:
    """Return where the vault is, or the folder TO, whether it is there or not."""
    if to is None or str(to) == "vault":
        return workspace.vault
    return (workspace.root / Path(to).expanduser()).resolve()


def check_place(root: Path, vault: Path) -> None:
    """Make sure that the vault and the own folders of the workspace at ROOT lie apart.

    Raises:
        UsageError: one lies in the other; notes would become records, or records notes.
    """
    own = {"runs": "records", "experiments": "recipes", ".thesis": "memory"}
    for name, what in own.items():
        folder = (root / name).resolve()
        if vault.is_relative_to(folder) or folder.is_relative_to(vault):
            how = "is" if vault == folder else "holds" if folder.is_relative_to(vault) else "is in"
            raise UsageError(
                f"the vault {vault} {how} the folder of the {what}, {folder}",
                'give the vault a folder of its own, in thesis.toml: vault = "vault"',
            )


def _with_wholes(snapshot: Snapshot, vault: Path, paths: Iterable[str]) -> Snapshot:
    """Read the files owned whole; one that can't be read is refused, and no other."""
    wholes: dict[str, bytes] = {}
    unreadable = dict(snapshot.unreadable)
    for path in paths:
        try:
            with open_folder(vault, parent(path), seconds=MOMENT) as folder:
                content = folder.read(path.rsplit("/", 1)[-1])
        except FileNotFoundError:
            continue
        except (RefusedError, HeldError) as error:
            unreadable[path] = error.message
        except OSError as error:
            unreadable[path] = f"can't be read: {error.strerror}"
        else:
            wholes |= {} if content is None else {path: content}
    return snapshot.with_files(wholes, unreadable)
