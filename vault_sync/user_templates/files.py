"""The files of user templates: templates/NAME.jinja in the workspace."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from featherface.errors import UsageError
from featherface.filesystem.atomic import write_atomic
from vault_sync.user_templates.names import NAME, RESERVED

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.workspace.workspace import Workspace

FOLDER = "templates"


def folder(workspace: Workspace) -> Path:
    """Return the folder of the student's templates, which need not exist."""
    return workspace.root / FOLDER


def own_templates(workspace: Workspace) -> dict[str, Path]:
    """Return name -> file of each own template, by name."""
    paths = sorted(folder(workspace).glob("*.jinja"))
    return {path.stem: path for path in paths if is_usable(path)}


def is_usable(path: Path) -> bool:
    """Whether a file may be a template: its name is plain, and it is no link."""
    plain = NAME.fullmatch(path.stem) and not RESERVED.fullmatch(path.stem)
    return bool(plain) and path.is_file() and not path.is_symlink()


def start(workspace: Workspace, name: str, taken: frozenset[str]) -> Path:
    """Write a first own template called NAME, which renders at once; return its file.

    Raises:
        UsageError: NAME can't be one, is TAKEN by a packaged template, or exists.
    """
    if not NAME.fullmatch(name) or RESERVED.fullmatch(name):
        raise UsageError(
            f"{name!r} can't name a template: use a to z, 0 to 9, '-' and '_', at most 64",
            "choose a name such as: thesis report new weekly-table",
        )
    if name in taken:
        raise UsageError(
            f"{name!r} is a packaged template", f"choose another name: thesis report new my-{name}"
        )
    path = folder(workspace) / f"{name}.jinja"
    if path.exists() or path.is_symlink():
        raise UsageError(f"{path} exists", f"see what it gives: thesis report show {name}")
    starter = resources.files("templates").joinpath(workspace.language, "own", "starter.jinja")
    write_atomic(path, starter.read_text("utf-8"))
    return path
