"""Open a folder of the vault; every read and write of its files goes through one.

On POSIX all names are resolved from the folder's descriptor, opened part by part without
following links, so a folder swapped for a symlink in mid-run is refused or never touched.
Elsewhere the path is looked at before each step.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from vault_sync.engine.disk import descriptors
from vault_sync.engine.disk.descriptors import open_descriptor
from vault_sync.engine.disk.paths import open_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vault_sync.engine.disk.folder import Folder

_DESCRIPTORS = descriptors.AVAILABLE


@contextlib.contextmanager
def open_folder(
    root: Path, relative: str, *, create: bool = False, seconds: float | None = None
) -> Iterator[Folder]:
    """Open the folder RELATIVE of the vault ROOT; with CREATE missing ones are made.

    SECONDS: how long a file that another program holds is waited for, see `PathFolder`.

    Raises:
        FileNotFoundError: it does not exist.
        RefusedError: a part of the path is a symbolic link, a junction, or no folder.
    """
    parts = [part for part in relative.split("/") if part]
    if not _DESCRIPTORS:
        yield open_path(root, parts, create=create, seconds=seconds)
        return
    with open_descriptor(root, parts, create=create) as folder:
        yield folder
