"""What one open folder of the vault can do, whatever the system offers for it.

Two classes keep this contract: `descriptors.DescriptorFolder` (POSIX) and `paths.PathFolder`
(Windows). The same tests run over both.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.engine.disk.replaced_file import read_when_released
from vault_sync.engine.disk.windows import is_link

if TYPE_CHECKING:
    from pathlib import Path

READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
CREATE = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
LINK_ERRORS = (errno.ELOOP, errno.ENOTDIR, errno.EMLINK)
HIDDEN, BEHIND = ".thesis-tmp", ".thesis-old"
"""How the two hidden names end that a write may need."""


def other_hidden_name(hidden: str) -> str:
    """Return the other hidden name of the same write, where an exchange leaves what came out."""
    stem, dot, end = hidden.rpartition(".")
    return f"{stem}{BEHIND if dot + end == HIDDEN else HIDDEN}"


def not_a_folder(path: Path) -> RefusedError:
    """Return what to say of a part of a path that is a link or a file."""
    return RefusedError(
        f"{path} is a symbolic link or no folder; nothing is written through it",
        "put a real folder there, or choose another chapter path in thesis.toml",
    )


class Folder(ABC):
    """A folder of the vault; names given to its methods are names in it, never paths.

    Every method may raise `HeldError` where another program holds a file for longer than was
    waited for; then all files are as they were, or `recovery` knows what to do.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none.

        Raises:
            RefusedError: NAME is a symlink, a junction or no plain file.
        """
        try:
            self._check_plain(name, self._stat(name))
            descriptor = self._open(name, READ)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in LINK_ERRORS:
                raise self._is_link(name) from error
            raise
        with os.fdopen(descriptor, "rb") as file:
            self._check_plain(name, os.fstat(file.fileno()))
            return file.read()

    def mode(self, name: str) -> int:
        """Return the permission bits of a file."""
        return stat.S_IMODE(self._stat(name).st_mode)

    def create(self, name: str, data: bytes, mode: int | None = None) -> None:
        """Write a new file and flush it to the disk; it must not exist."""
        descriptor = self._open(name, CREATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())

    def exchange(self, hidden: str, name: str) -> str:
        """Put the file HIDDEN in the place of NAME; return the name of what came out.

        What comes out is what stood there at that moment, be it a save of a moment ago. Where
        the system can't do it in one step, NAME is missing between two renames: a crash there
        leaves both hidden files, and `recovery` gives NAME its content back.

        Raises:
            FileNotFoundError: NAME is gone; nothing was done.
            FileExistsError: somebody saved NAME while it was missing; their save stays, and both
                hidden files are there for `recovery`.
        """
        if self._swap(hidden, name):
            return hidden
        out = other_hidden_name(hidden)
        self._step_in(hidden, name, out)
        return out

    def replace(self, source: str, target: str) -> None:
        """Rename SOURCE over TARGET in one step."""
        self._rename(source, target)

    def publish(self, source: str, target: str) -> None:
        """Give SOURCE the name TARGET.

        Raises:
            FileExistsError: something has that name already.
        """
        self._publish(source, target)

    def exists(self, name: str) -> bool:
        """Whether anything has that name, a broken link included."""
        try:
            self._stat(name)
        except FileNotFoundError:
            return False
        return True

    @abstractmethod
    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""

    def discard(self, name: str) -> bytes | None:
        """Remove a file that lost its place; return what it held when nobody wrote any more.

        An editor that had the file open may still be saving into it. None where there is none.
        """
        try:
            data = read_when_released(self._open_retired(name))
        except FileNotFoundError:
            return None
        self.remove(name)
        return data

    @abstractmethod
    def remove_folder(self, name: str) -> None:
        """Remove a folder inside this one, unless something is in it."""

    @abstractmethod
    def sync(self) -> None:
        """Flush the folder's entries to the disk, where the system can."""

    @abstractmethod
    def _open(self, name: str, flags: int) -> int: ...

    @abstractmethod
    def _stat(self, name: str) -> os.stat_result:
        """Look at NAME itself, not at what a link points to."""

    def _open_retired(self, name: str) -> int:
        return self._open(name, READ)

    @abstractmethod
    def _rename(self, source: str, target: str) -> None: ...

    @abstractmethod
    def _link(self, source: str, target: str) -> None:
        """Give the file SOURCE a second name."""

    def _swap(self, hidden: str, name: str) -> bool:
        """Swap two files in one step; False where the system can't."""
        del hidden, name
        return False

    def _rename_new(self, source: str, target: str) -> bool:
        """Rename SOURCE to TARGET, which must not exist; False where the system can't tell."""
        del source, target
        return False

    def _publish(self, source: str, target: str) -> None:
        try:
            self._link(source, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if not self._rename_new(source, target):
                self._rename_unseen(source, target)
        else:
            self.remove(source)

    def _rename_unseen(self, source: str, target: str) -> None:
        """Rename where nothing better is left: a file made at this very moment is overwritten."""
        if self.exists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        self._rename(source, target)

    def _step_in(self, hidden: str, name: str, out: str) -> None:
        """Move NAME to OUT and HIDDEN to NAME; after an error NAME has its file back."""
        try:
            self._move_out(hidden, name, out)
        except OSError:
            if self.exists(out):
                self.publish(out, name)
            raise

    def _move_out(self, hidden: str, name: str, out: str) -> None:
        self._rename(name, out)
        between()
        self._publish(hidden, name)

    def _check_plain(self, name: str, status: os.stat_result) -> None:
        if is_link(status):
            raise self._is_link(name)
        if not stat.S_ISREG(status.st_mode):
            raise RefusedError(f"{self.path / name} is no plain file")

    def _is_link(self, name: str) -> RefusedError:
        return RefusedError(f"{self.path / name} is a symbolic link; none is followed")


def between() -> None:
    """Mark the moment in which a file has lost its name; tests break in here."""
