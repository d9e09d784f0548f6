"""Files of results that can be made again: named by what they follow from, removed when unused.

A name holds the inputs, the code that makes the result of them, and the versions of the libraries
that take part. Where any of these changes the entry has another name, and the old one is never
found again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from functools import cache
from typing import TYPE_CHECKING

from featherface.filesystem.atomic import keep
from featherface.source.definitions import definition_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

CODE = "code"
"""Folder of the digests of definitions, beside those of the entries."""
UNUSED_DAYS = 60
"""An entry that was not read for so long is removed: a semester's break keeps the vault quick."""
DAY = 86_400
"""Seconds; how exactly the last use of an entry is known."""


def entry_path(
    folder: Path,
    make: Callable[..., object],
    inputs: Sequence[str],
    *,
    libraries: Sequence[str] = (),
    suffix: str = ".json",
) -> Path:
    """Return the file in FOLDER for what MAKE gives for INPUTS.

    Args:
        folder: of entries of one kind, such as `.thesis/cache/figures`.
        make: a function of ours, at the top of its module.
        inputs: all that it is given, or what stands for it, such as the seals of records.
        libraries: distributions whose version may show in the result.
        suffix: of the file.

    Raises:
        LookupError: MAKE is no function at the top of a module of ours.
    """
    code = definition_digest(make, folder.parent / CODE)
    key = json.dumps([code, [_version(name) for name in libraries], list(inputs)])
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()}{suffix}"


def read_entry(path: Path) -> bytes | None:
    """Return what PATH keeps, and note that it is in use; None where it can't be read."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):  # a disk that can't be written, an entry removed just now
        if time.time() - path.stat().st_mtime > DAY:
            os.utime(path)
    return content


def write_entry(path: Path, content: bytes | str) -> None:
    """Keep CONTENT, unless the disk can't be written, and tidy the folder once per process."""
    keep(path, content)
    _remove_unused(path.parent)


@cache
def _version(distribution: str) -> str:
    from importlib import metadata  # noqa: PLC0415 - slow to import

    try:
        return f"{distribution} {metadata.version(distribution)}"
    except metadata.PackageNotFoundError:
        return distribution


@cache
def _remove_unused(folder: Path) -> None:
    """Remove entries of FOLDER unused for UNUSED_DAYS.

    Another process may read, make or remove any of them meanwhile: one that is gone is made anew.
    """
    oldest = time.time() - UNUSED_DAYS * DAY
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
