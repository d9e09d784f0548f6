"""Where the timestamps of a record are kept: beside its folder, `runs/v2/003.5f2c9a1b.tsr`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".tsr"
"""What OpenSSL calls an authority's answer; its `ts -verify` reads the files as they are."""
SHOWN = 8
"""Digits of the content's SHA-256 in a file's name: two answers never have one name."""


def token_files(folder: Path) -> list[Path]:
    """Return the timestamps kept beside the record in FOLDER, sorted by name."""
    return sorted(folder.parent.glob(f"{folder.name}.*{SUFFIX}"))


def token_file(folder: Path, digest: str) -> Path:
    """Return where an answer whose SHA-256 is DIGEST lies, beside the record in FOLDER."""
    return folder.with_name(f"{folder.name}.{digest[:SHOWN]}{SUFFIX}")


def keep_token(folder: Path, content: bytes) -> Path:
    """Write an authority's answer beside the record in FOLDER; return its path.

    Raises:
        HeldError: another program holds it.
        UnavailableError: the disk is full or read-only.
    """
    path = token_file(folder, token_digest(content))
    write_atomic(path, content)
    return path


def token_digest(content: bytes) -> str:
    """Return the SHA-256 of an authority's answer, in hex, as the ledger keeps it."""
    return hashlib.sha256(content).hexdigest()
