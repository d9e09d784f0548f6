"""What a manifest beside a file says of it: the digests that it was listed with."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANIFEST = "manifest.json"
"""File beside exported ones, and at the top of a package, that names each with its SHA-256."""


def listed_digests(manifest: Path, path: Path) -> frozenset[str]:
    """Return the SHA-256 digests that the file MANIFEST lists PATH with; none where it does not.

    Paths in it start at its folder, in a run's record at the folder above.

    Raises:
        DataError: it can't be read, or is no JSON.
    """
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{manifest}: can't be read: {error}", "export it again") from error
    return frozenset(
        entry["sha256"] for entry in _entries(content) if _names(entry["path"], path, manifest)
    )


def _entries(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in CONTENT, at any depth, that give a file's path and digest."""
    if isinstance(content, dict):
        if isinstance(content.get("path"), str) and isinstance(content.get("sha256"), str):
            yield content
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _entries(each)


def _names(listed: str, path: Path, manifest: Path) -> bool:
    """Whether LISTED, relative to the manifest's folder or the one above it, is PATH."""
    wanted = PurePosixPath(listed).parts
    inside = path.relative_to(manifest.parent).parts
    return inside in (wanted, wanted[1:])
