"""Make a vault: its folders and chapters, ready to be filled and to be written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, UnavailableError
from vault_sync.commands.dry_run import check_place
from vault_sync.commands.sync import sync

if TYPE_CHECKING:
    from experiments.workspace.workspace import Workspace


def create(workspace: Workspace) -> list[str]:
    """Make the vault of WORKSPACE with its chapters; return the paths of new notes.

    What exists already stays as it is; chapters that are there are joined at the next sync.

    Raises:
        NotFoundError: the vault's place is a file.
        UnavailableError: the folder can't be made.
        UsageError: the vault would hold the records or lie among them.
    """
    vault = workspace.vault
    check_place(workspace.root, vault)
    if vault.exists() and not vault.is_dir():
        raise NotFoundError(f"the vault {vault} is no folder", "choose another place: --vault")
    try:
        vault.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"can't make the vault {vault}: {error.strerror}",
            "choose a folder you may write to: thesis init --vault FOLDER",
        ) from error
    return [path for path in sync(workspace).written if path.endswith(".md")]
