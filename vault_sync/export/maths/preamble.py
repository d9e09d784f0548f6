"""The macros that hold in every note: of the vault's preamble and of thesis.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.errors import NotFoundError
from vault_sync.engine.disk.folders import open_folder
from vault_sync.engine.disk.names import parent

if TYPE_CHECKING:
    from experiments.workspace.workspace import Workspace
    from vault_sync.export.reading.link_index import LinkIndex

SETTING = "export.macros"
"""Key of thesis.toml: definitions in TeX, or the name of a file of the vault that holds them."""
PREAMBLE = "preamble.sty"
"""The file at the root of a vault that the plugin Extended MathJax reads."""
_SUFFIXES = (".sty", ".tex")


def read_preamble(workspace: Workspace, index: LinkIndex) -> str:
    """Return the definitions of the vault's preamble, then those of thesis.toml, which win.

    Raises:
        NotFoundError: thesis.toml names a file that the vault doesn't have.
    """
    own = str(workspace.settings.values.get(SETTING, "")).strip()
    files = [PREAMBLE] if PREAMBLE in index.files else []
    if "\\" in own or not own.lower().endswith(_SUFFIXES):
        return "\n".join([*(_read(index, path) for path in files), own])
    path = index.file(own)
    if path is None:
        raise NotFoundError(
            f"thesis.toml: {SETTING} names {own!r}, which is not in the vault {index.root}",
            f"correct {SETTING}, or write the definitions themselves there",
        )
    return "\n".join(_read(index, path) for path in dict.fromkeys([*files, path]))


def _read(index: LinkIndex, path: str) -> str:
    with open_folder(index.root, parent(path)) as folder:
        content = folder.read(path.rpartition("/")[2]) or b""
    return content.decode("utf-8-sig", "replace").replace("\r\n", "\n")
