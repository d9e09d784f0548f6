"""The system's errors in words, each with what to do about it."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

from featherface.errors import UnavailableError
from featherface.filesystem.retry import following

if TYPE_CHECKING:
    from pathlib import Path

FREE = "free some space"
OPEN = "choose a folder you may write to, or make this one writable"
SHORT = "move to a folder with a shorter path (Windows: or turn on long paths)"
REMEDIES = {
    errno.ENOSPC: FREE,
    errno.EDQUOT: FREE,
    errno.EROFS: OPEN,
    errno.EACCES: OPEN,
    errno.EPERM: OPEN,
    errno.ENAMETOOLONG: SHORT,
    errno.ENOTDIR: "move away the file that is where a folder should be",
    errno.EISDIR: "move away the folder that is where the file should be",
    errno.EMFILE: "close other programs, or raise the limit (ulimit -n)",
    errno.EIO: "look whether the disk is failing or was taken away",
}
TOO_LONG = 206
"""ERROR_FILENAME_EXCED_RANGE."""
MAX_PATH = 260
"""Characters that Windows allows unless long paths are turned on; it then finds no such file."""


def remedy(error: OSError, path: Path | None = None) -> str:
    """Say what to do about ERROR, met at PATH."""
    missing = error.errno == errno.ENOENT and getattr(error, "winerror", None) is not None
    if getattr(error, "winerror", None) == TOO_LONG or (
        missing and path is not None and len(str(path)) >= MAX_PATH
    ):
        return SHORT
    return REMEDIES.get(error.errno or 0, "look whether the disk is full or failing")


def unavailable(
    error: OSError, path: Path, then: str | None = None, *, verb: str = "write"
) -> UnavailableError:
    """Word ERROR, met when PATH was to be written, with its remedy and the command to type THEN."""
    return UnavailableError(
        f"can't {verb} {path}: {error.strerror or error}",
        f"{remedy(error, path)}, {following(then)}",
    )


def told_in_words(text: str) -> OSError:
    """Return the error of the system that a library written in Rust tells in TEXT only.

    >>> told_in_words("I/O error: No space left on device (os error 28)").errno
    28
    """
    match = re.search(r"\(os error (\d+)\)", text)
    if match is None:
        return OSError(None, text)
    code = int(match[1])
    return OSError(0, text, None, code) if os.name == "nt" else OSError(code, text)
