"""A folder that is held open: on POSIX every name is resolved from its descriptor."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
from typing import TYPE_CHECKING

from vault_sync.engine.disk.folder import LINK_ERRORS, Folder, not_a_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AVAILABLE = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether the system has folder descriptors."""
EXCHANGE = 2
"""RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS."""
NO_REPLACE = 4 if sys.platform == "darwin" else 1
"""RENAME_EXCL on macOS, RENAME_NOREPLACE on Linux."""
_CAN_NOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV)


class DescriptorFolder(Folder):
    """A folder that stays the one it was when it was opened, wherever its name leads now."""

    def __init__(self, path: Path, descriptor: int) -> None:
        super().__init__(path)
        self._descriptor = descriptor

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def remove_folder(self, name: str) -> None:
        """Remove a folder inside this one, unless something is in it."""
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=self._descriptor)

    def sync(self) -> None:
        """Flush the folder's entries to the disk."""
        os.fsync(self._descriptor)

    def _open(self, name: str, flags: int) -> int:
        return os.open(name, flags, 0o666, dir_fd=self._descriptor)

    def _stat(self, name: str) -> os.stat_result:
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def _rename(self, source: str, target: str) -> None:
        fd = self._descriptor
        os.replace(source, target, src_dir_fd=fd, dst_dir_fd=fd)

    def _link(self, source: str, target: str) -> None:
        fd = self._descriptor
        os.link(source, target, src_dir_fd=fd, dst_dir_fd=fd, follow_symlinks=False)

    def _swap(self, hidden: str, name: str) -> bool:
        return rename(self._descriptor, hidden, name, EXCHANGE)

    def _rename_new(self, source: str, target: str) -> bool:
        return rename(self._descriptor, source, target, NO_REPLACE)


@contextlib.contextmanager
def open_descriptor(root: Path, parts: list[str], *, create: bool) -> Iterator[DescriptorFolder]:
    """Open a folder part by part; see `folders.open_folder`."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    path = root
    try:
        for part in parts:
            path = path / part
            inner = _enter(descriptor, part, path, create=create)
            os.close(descriptor)
            descriptor = inner
        yield DescriptorFolder(path, descriptor)
    finally:
        os.close(descriptor)


def _enter(descriptor: int, part: str, path: Path, *, create: bool) -> int:
    if create:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, dir_fd=descriptor)
    try:
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
    except OSError as error:
        if error.errno in LINK_ERRORS:
            raise not_a_folder(path) from error
        raise


def rename(descriptor: int, source: str, target: str, flag: int) -> bool:
    """Ask the kernel to rename in a special way (Linux renameat2, macOS renameatx_np).

    Returns False where it can't.

    Raises:
        OSError: it can, and it failed.
    """
    name = "renameatx_np" if sys.platform == "darwin" else "renameat2"
    try:
        call = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(source), os.fsencode(target)
    if call(descriptor, names[0], descriptor, names[1], ctypes.c_uint(flag)) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CAN_NOT:
        return False
    raise OSError(code, os.strerror(code), source)
