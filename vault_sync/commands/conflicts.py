"""The new versions that were not written over a student's edit, put where they can be read.

Under .thesis/conflicts: `new/<note>/<block>.md` as the sync would have written it, and
`recovered/` with saves of an editor that crossed a write.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from featherface.filesystem.atomic import write_atomic
from vault_sync.engine.disk.names import safe_name
from vault_sync.engine.state import state_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.engine.plans import Trouble


def write_new_versions(
    workspace: Workspace, vault: Path, conflicts: Sequence[Trouble]
) -> Path | None:
    """Write the new version of each conflict into its file, and remove those that are resolved.

    Returns the folder; None where there is no conflict.
    """
    folder = _folder(workspace, vault)
    wanted = {folder / _name(trouble): _text(trouble) for trouble in conflicts}
    for path, content in wanted.items():
        if not path.exists() or path.read_bytes() != content:
            write_atomic(path, content)
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path not in wanted:
            with contextlib.suppress(OSError):  # one that is open somewhere goes the next time
                path.unlink(missing_ok=True)
                path.parent.rmdir()
    if not wanted:
        shutil.rmtree(folder, ignore_errors=True)
    return folder if wanted else None


def recovered_saves(workspace: Workspace) -> list[Path]:
    """Return the saves that were kept aside, which the student may want to look at."""
    folder = workspace.state / "conflicts" / "recovered"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _folder(workspace: Workspace, vault: Path) -> Path:
    memory = state_path(workspace.state, vault, workspace.vault)
    return workspace.state / "conflicts" / memory.stem.replace("vault", "new", 1)


def _name(trouble: Trouble) -> str:
    note = safe_name(trouble.path.removesuffix(".md"))
    if trouble.block or trouble.key:
        return f"{note}/{safe_name(trouble.block or trouble.key)}.md"
    suffix = trouble.path.rsplit(".", 1)[-1]
    return f"{note}/new.{suffix}"


def _text(trouble: Trouble) -> bytes:
    return trouble.new + b"\n" if trouble.block or trouble.key else trouble.new
