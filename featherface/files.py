"""Writing files so that a crash leaves the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from typing import TYPE_CHECKING

from featherface.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


PATIENCE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Seconds between attempts to replace a file that is in use."""
LEFT = ".tmp"
"""How the hidden names end under which files are written."""


def left_over(name: str) -> bool:
    """Whether a file of this NAME is one that a crash kept from taking its place."""
    return name.startswith(".") and name.endswith(LEFT)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Replace PATH by CONTENT (text is UTF-8 with LF): temporary file, fsync, rename, fsync.

    Raises:
        UnavailableError: the disk is full, read-only or not writable; PATH is as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside PATH that takes its place when the block ends well.

    For writers that want a file name (safetensors, ONNX, images).
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{LEFT}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        sync_file(temporary)
        replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(
            f"can't write {path}: {error.strerror or error}",
            "free some space or choose a folder you may write to, then run the command again",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def replace(source: Path, target: Path) -> None:
    """Rename SOURCE over TARGET, patient where another program holds TARGET open for a moment.

    Windows refuses then (a virus scanner, a cloud folder, an editor that reads the note).
    """
    for pause in PATIENCE if os.name == "nt" else ():
        try:
            os.replace(source, target)  # noqa: PTH105 - the rename must overwrite on Windows too
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(source, target)  # noqa: PTH105 - as above


def sync_file(path: Path) -> None:
    """Flush the file's content to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush the folder's entries to the disk, where the system can (Windows can't)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
