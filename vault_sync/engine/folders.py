"""One open folder of the vault, through which every write goes.

On POSIX all names are resolved from the folder's descriptor, opened part by part without
following links, so a folder swapped for a symlink in mid-run is refused or never touched.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

from featherface.errors import RefusedError
from featherface.files import replace
from vault_sync.engine.retired import Retired

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DESCRIPTORS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_CREATE = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
_LINK_ERRORS = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)


class Folder:
    """A folder of the vault; names given to its methods are names in it, never paths."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none.

        Raises:
            RefusedError: NAME is a symlink or no plain file.
        """
        try:
            descriptor = os.open(*self._at(name), _READ, **self._fd())
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _LINK_ERRORS:
                raise RefusedError(
                    f"{self.path / name} is a symbolic link; none is followed"
                ) from error
            raise
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise RefusedError(f"{self.path / name} is no plain file")
            return file.read()

    def mode(self, name: str) -> int:
        """Return the permission bits of a file."""
        return stat.S_IMODE(os.stat(*self._at(name), follow_symlinks=False, **self._fd()).st_mode)

    def create(self, name: str, data: bytes, mode: int | None = None) -> None:
        """Write a new file and flush it to the disk; it must not exist."""
        descriptor = os.open(*self._at(name), _CREATE, 0o666, **self._fd())
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())

    def hold(self, name: str) -> Retired | None:
        """Open a file that is about to lose its name; None where the system can't."""
        if self._descriptor is None:
            return None
        return Retired(os.open(name, _READ, dir_fd=self._descriptor))

    def exchange(self, one: str, other: str) -> bool:
        """Swap two files in one step; False where the system can't."""
        return self._descriptor is not None and _exchange(self._descriptor, one, other)

    def replace(self, source: str, target: str) -> None:
        """Rename SOURCE over TARGET in one step."""
        fd = self._descriptor
        if fd is None:
            replace(self.path / source, self.path / target)
        else:
            os.replace(source, target, src_dir_fd=fd, dst_dir_fd=fd)

    def publish(self, source: str, target: str) -> None:
        """Give SOURCE the name TARGET.

        Raises:
            FileExistsError: something has that name already.
        """
        fd = self._descriptor
        if fd is None:  # Windows: a rename never overwrites
            os.rename(self.path / source, self.path / target)  # noqa: PTH104 - as below
            return
        try:
            os.link(source, target, src_dir_fd=fd, dst_dir_fd=fd, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if self.exists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from None
            self.replace(source, target)
        else:
            self.remove(source)

    def exists(self, name: str) -> bool:
        """Whether anything has that name, a broken link included."""
        try:
            os.stat(*self._at(name), follow_symlinks=False, **self._fd())
        except FileNotFoundError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(*self._at(name), **self._fd())

    def remove_folder(self, name: str) -> None:
        """Remove a folder inside this one, unless something is in it."""
        with contextlib.suppress(OSError):
            os.rmdir(*self._at(name), **self._fd())

    def sync(self) -> None:
        """Flush the folder's entries to the disk, where the system can."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def _at(self, name: str) -> tuple[Any]:
        return (name if self._descriptor is not None else self.path / name,)

    def _fd(self) -> dict[str, Any]:
        return {} if self._descriptor is None else {"dir_fd": self._descriptor}


@contextlib.contextmanager
def open_folder(root: Path, relative: str, *, create: bool = False) -> Iterator[Folder]:
    """Open the folder RELATIVE of the vault ROOT; with CREATE missing ones are made.

    Raises:
        RefusedError: a part of the path is a symbolic link, or no folder.
    """
    parts = [part for part in relative.split("/") if part]
    if not _DESCRIPTORS:
        yield Folder(_checked(root, parts, create=create), None)
        return
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    path = root
    try:
        for part in parts:
            path = path / part
            inner = _enter(descriptor, part, path, create=create)
            os.close(descriptor)
            descriptor = inner
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)


def _enter(descriptor: int, part: str, path: Path, *, create: bool) -> int:
    if create:
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, dir_fd=descriptor)
    try:
        return os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=descriptor)
    except OSError as error:
        if error.errno in _LINK_ERRORS:
            raise RefusedError(
                f"{path} is a symbolic link or no folder; nothing is written through it",
                "put a real folder there, or choose another chapter path in thesis.toml",
            ) from error
        raise


def _checked(root: Path, parts: list[str], *, create: bool) -> Path:
    """Walk down by path, for systems without folder descriptors (Windows)."""
    path = root
    for part in parts:
        path = path / part
        if create:
            path.mkdir(exist_ok=True)
        if path.is_symlink() or not path.is_dir() or path.resolve().parent != path.parent.resolve():
            raise RefusedError(
                f"{path} is a symbolic link or no folder; nothing is written through it",
                "put a real folder there, or choose another chapter path in thesis.toml",
            )
    return path


def _exchange(descriptor: int, one: str, other: str) -> bool:
    """Ask the kernel to swap two names (Linux renameat2, macOS renameatx_np)."""
    name, flag = ("renameatx_np", 2) if sys.platform == "darwin" else ("renameat2", 2)
    try:
        call = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError, TypeError):
        return False
    names = os.fsencode(one), os.fsencode(other)
    if call(descriptor, names[0], descriptor, names[1], ctypes.c_uint(flag)) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EXDEV):
        return False
    raise OSError(code, os.strerror(code), one)
