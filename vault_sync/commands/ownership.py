"""Which workspace keeps a vault: two that wrote into one would overwrite each other's blocks.

    <state of the user>/locks/<vault>/owner.json     which workspace wrote there last
    .thesis/workspace.json                           the name by which a workspace knows itself

Nothing of it lies in the vault. A workspace that was moved, renamed or copied keeps its name, and
one that is gone, or has its vault elsewhere by now, keeps nothing. Two machines that share a vault
through a synchroniser don't know of each other.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.wording.shell_quote import command
from experiments.workspace.workspace import Workspace
from featherface.errors import RefusedError, ThesisError
from featherface.filesystem.atomic import write_atomic
from vault_sync.engine.disk.locking import lock_folder
from vault_sync.engine.state import state_path

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class VaultOwner:
    """The workspace that wrote into a vault last."""

    workspace: str
    """Its name for itself: random, so that no two have one."""
    root: str
    """Its folder."""


def read_owner(vault: Path) -> VaultOwner | None:
    """Return who wrote into a vault last; None where nobody did, or nobody can tell."""
    about = _read(lock_folder(vault) / "owner.json")
    if not all(isinstance(about.get(key), str) for key in ("workspace", "root")):
        return None
    return VaultOwner(about["workspace"], about["root"])


def check_owner(workspace: Workspace, vault: Path) -> None:
    """Make sure that no other workspace keeps the vault.

    Raises:
        RefusedError: another one does.
    """
    owner = read_owner(vault)
    if owner is None or owner.workspace == identify(workspace):
        return
    other = _keeper(owner, vault)
    if other is None or other.root == workspace.root:
        return
    title = str(other.settings["title"]) or other.root.name
    take_over = command(["thesis", "report", "sync", "--take-over"])
    raise RefusedError(
        f"the vault {vault} is kept by another workspace, {title!r} in {other.root}: each would "
        "write over the blocks of the other",
        f"give this one a folder of its own beside that one: vault = … in "
        f"{workspace.root / 'thesis.toml'}; or, where this one shall keep it from now on: "
        f"{take_over}",
    )


def claim(workspace: Workspace, vault: Path) -> None:
    """Remember that WORKSPACE keeps the vault."""
    name = identify(workspace)
    if not name:
        name = secrets.token_hex(8)
        write_atomic(_memory(workspace), json.dumps({"id": name}) + "\n")
    mine = VaultOwner(name, str(workspace.root))
    if read_owner(vault) != mine:
        text = json.dumps(asdict(mine), ensure_ascii=False)
        write_atomic(lock_folder(vault) / "owner.json", text)


def identify(workspace: Workspace) -> str:
    """Return the name by which a workspace knows itself; empty where it has none yet."""
    return str(_read(_memory(workspace)).get("id", ""))


def _memory(workspace: Workspace) -> Path:
    return workspace.state / "workspace.json"


def _read(path: Path) -> Mapping[str, str]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _keeper(owner: VaultOwner, vault: Path) -> Workspace | None:
    """Return the workspace that OWNER names, if it still is there and still keeps the vault."""
    try:
        other = Workspace.open(Path(owner.root))
        known = state_path(other.state, vault, other.vault).is_file()
    except (ThesisError, OSError, ValueError):
        return None
    return other if known and identify(other) == owner.workspace else None
