"""What only Windows has: junctions, long paths, `ReplaceFileW`, and sharing of open files.

https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-replacefilew
"""

from __future__ import annotations

import ctypes
import errno
import ntpath
import os
import stat
import sys
import time
from functools import cache
from typing import Any

SURROGATE = 0x20000000
"""Bit of a reparse tag that says: this name stands for another one (a link, a junction).

Files that OneDrive keeps online carry tags as well, but without it; they are plain files.
"""
LONG = 240
"""Characters from which a path is written as `\\\\?\\`: a folder's name may have 247, and a hidden
name comes behind it."""
IGNORED = 0x2 | 0x4
"""REPLACEFILE_IGNORE_MERGE_ERRORS and _ACL_ERRORS: the content counts, not the rights on it."""
GONE = (2, 3)
"""ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND."""
IN_USE = (5, 32, 33, 1175, 1176, 1177, 1224)
"""Access denied, sharing and lock violations, the three partial failures of `ReplaceFileW`, and a
file mapped into memory. Whichever it is, `Folder` looks at what stands on the disk afterwards."""
CAN_NOT = (1, 50, 87, 120)
"""The disk's driver (a network drive, a virtual machine's folder) does not know the call."""
SHARING = 32
READING = 0x80000000
SHARE_READ, SHARE_WRITE, SHARE_DELETE = 1, 2, 4
OPEN_EXISTING = 3
NORMAL = 0x80
NO_HANDLE = ctypes.c_void_p(-1).value
PATIENCE = 2.0
"""Seconds to wait for an editor that still writes into the file it has open."""


def is_link(status: os.stat_result) -> bool:
    """Whether STATUS, of `os.lstat`, is that of a symlink or a junction."""
    return stat.S_ISLNK(status.st_mode) or bool(getattr(status, "st_reparse_tag", 0) & SURROGATE)


def extended(path: str) -> str:
    """Return PATH as Windows accepts it at any length; elsewhere, and where short, as it is."""
    return verbatim(path) if os.name == "nt" and len(path) >= LONG else path


def verbatim(path: str) -> str:
    r"""Return an absolute Windows PATH in the form `\\?\`, which has no limit of 260 characters."""
    if path.startswith("\\\\?\\"):
        return path
    path = ntpath.abspath(path)
    return f"\\\\?\\UNC\\{path[2:]}" if path.startswith("\\\\") else f"\\\\?\\{path}"


@cache
def kernel() -> Any:
    """Return Windows' kernel32 with the types of what is called; None on other systems."""
    if sys.platform == "win32":
        library = ctypes.WinDLL("kernel32", use_last_error=True)
        declare(library)
        return library
    return None


def declare(library: Any) -> None:
    """Give the functions of LIBRARY their types."""
    text, number, pointer = ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_void_p
    library.ReplaceFileW.argtypes = [text, text, text, number, pointer, pointer]
    library.ReplaceFileW.restype = ctypes.c_int
    library.CreateFileW.argtypes = [text, number, number, pointer, number, number, pointer]
    library.CreateFileW.restype = pointer


def replace_file(replaced: str, replacement: str, backup: str) -> None:
    """Put REPLACEMENT in the place of REPLACED, which keeps on living under the name BACKUP.

    Raises:
        PermissionError: a program holds one of them, or a right is lacking. The names are as they
            were, or (error 1177) REPLACED has the name BACKUP by now and its own is free.
        FileNotFoundError: REPLACED is not there.
        OSError: whatever else the system says; ENOTSUP where this disk knows no such call.
    """
    if not kernel().ReplaceFileW(replaced, replacement, backup, IGNORED, None, None):
        raise refusal(last_error(), replaced)


def open_retired(path: str) -> int:
    """Open a file for a last look, once no program has it open for writing any more.

    Until it is closed nobody can begin to write into it. Like the lease that Linux gives, and given
    up after `PATIENCE`.

    Raises:
        OSError: the file is not there, or can't be opened.
    """
    end = time.monotonic() + PATIENCE
    while True:
        share = SHARE_READ | SHARE_DELETE
        if time.monotonic() > end:
            share |= SHARE_WRITE
        handle = kernel().CreateFileW(path, READING, share, None, OPEN_EXISTING, NORMAL, None)
        if handle not in (None, NO_HANDLE):
            return descriptor(handle)
        code = last_error()
        if code != SHARING or share & SHARE_WRITE:
            raise refusal(code, path)
        time.sleep(0.005)


def refusal(code: int, path: str) -> OSError:
    """Return the error for Windows' error CODE about PATH."""
    if code in CAN_NOT:
        return OSError(errno.ENOTSUP, f"{os.strerror(errno.ENOTSUP)} (error {code})", path)
    if code in GONE:
        return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    if code in IN_USE:
        return PermissionError(errno.EACCES, f"{os.strerror(errno.EACCES)} (error {code})", path)
    if sys.platform == "win32":
        return OSError(0, ctypes.FormatError(code), path, code)
    return OSError(errno.EIO, f"{os.strerror(errno.EIO)} (error {code})", path)


def last_error() -> int:
    """Return the error code of the last call."""
    if sys.platform == "win32":
        return ctypes.get_last_error()
    return 0


def descriptor(handle: int) -> int:
    """Return a file descriptor for a HANDLE of Windows, which it owns from now on."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - only there

        return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY)
    return handle
