"""Files that grow line by line: a crash costs at most the line that was being written."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

from featherface.filesystem.os_errors import unavailable
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from pathlib import Path


def append_lines(path: Path, lines: str) -> None:
    """Append LINES, each with its line end, to PATH and flush it to the disk.

    A line that a crash left half-written is closed first, so that no other is lost to it.

    Raises:
        HeldError: another program holds it; nothing was written.
        UnavailableError: the disk is full or read-only.
    """
    try:
        with insist(lambda: path.open("ab+"), path) as file:
            torn = file.tell() > 0 and _last_byte(file) != b"\n"
            file.write((b"\n" if torn else b"") + lines.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unavailable(error, path) from error


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
