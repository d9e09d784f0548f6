"""The macros that hold in every note: of the vault's preamble and of thesis.toml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError
from vault_sync.engine.disk.folders import open_folder
from vault_sync.engine.disk.names import parent

if TYPE_CHECKING:
    from experiments.workspace.workspace import Workspace
    from vault_sync.export.reading.link_index import LinkIndex

SETTING = "export.macros"
"""Key of thesis.toml: names of TeX files, from the workspace, else of the vault."""
PREAMBLE = "preamble.sty"
"""The file at the root of a vault that the plugin Extended MathJax reads."""


def read_preamble(workspace: Workspace, index: LinkIndex) -> str:
    """Return the definitions of the vault's preamble, then those of thesis.toml, which win.

    Raises:
        NotFoundError: thesis.toml names a file that is neither in the workspace nor in the vault.
    """
    named = workspace.settings.values.get(SETTING, ())
    names = [named] if isinstance(named, str) else list(named)
    texts = [_in_vault(index, PREAMBLE)] if PREAMBLE in index.files else []
    texts += [_named(workspace, index, name) for name in names if name]
    return "\n".join(texts)


def _named(workspace: Workspace, index: LinkIndex, name: str) -> str:
    path = workspace.root / Path(name).expanduser()
    if path.is_file():
        return _decoded(path.read_bytes())
    known = index.file(name)
    if known is None:
        raise NotFoundError(
            f"thesis.toml: {SETTING} names {name!r}, which is neither in the workspace "
            f"{workspace.root} nor in its vault",
            f"correct {SETTING} in thesis.toml",
        )
    return _in_vault(index, known)


def _in_vault(index: LinkIndex, path: str) -> str:
    with open_folder(index.root, parent(path)) as folder:
        return _decoded(folder.read(path.rpartition("/")[2]) or b"")


def _decoded(content: bytes) -> str:
    return content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
