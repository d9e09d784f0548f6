"""Writing files so that a crash leaves the old content or the new, never a part."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

from featherface.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
        os.replace(temporary, path)  # noqa: PTH105 - the rename must overwrite on Windows too
        sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(
            f"can't write {path}: {error.strerror or error}",
            "free some space or choose a folder you may write to, then run the command again",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


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
