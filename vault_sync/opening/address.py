"""The address by which Obsidian opens a file, wherever its vault is registered.

https://help.obsidian.md/uri: with `path`, Obsidian looks for the vault that holds the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path


def note_address(file: Path, part: str = "") -> str:
    """Return the `obsidian://` address of FILE, an absolute path; PART is a heading or `^block`.

    Example: ``note_address(Path("/v/A b.md"), "Results")`` is
    ``obsidian://open?path=%2Fv%2FA%20b.md%23Results``.
    """
    return f"obsidian://open?path={quote(f'{file}#{part}' if part else str(file), safe='')}"
