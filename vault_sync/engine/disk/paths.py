"""A folder that is known by its path alone, as on Windows.

Before each step it is looked whether the path still leads to the folder that was opened. A file
that another program holds is waited for, a blink or a minute as the caller wishes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from featherface.errors import HeldError
from featherface.filesystem.retry import insist, is_held
from vault_sync.engine.disk import windows
from vault_sync.engine.disk.folder import Folder, not_a_folder
from vault_sync.engine.disk.windows import extended, is_link

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

BLINK = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Seconds between the attempts at a file that is in use, before it is put off."""
BRIEFLY = 0.0
"""To wait for a blink only."""


class PathFolder(Folder):
    """A folder whose names are resolved anew at each step."""

    def __init__(self, path: Path, seconds: float | None = None) -> None:
        """Open the folder PATH; a file in it that is held is waited for SECONDS.

        None: as long as `featherface.filesystem.retry` says; BRIEFLY: a blink.
        """
        super().__init__(path)
        self.seconds = seconds
        self._identity = self._look()

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file, or None where there is none."""
        return self._patiently(lambda: super(PathFolder, self).read(name), name, verb="read")

    def exchange(self, hidden: str, name: str) -> str:
        """Put the file HIDDEN in the place of NAME; return the name of what came out."""
        return self._patiently(lambda: super(PathFolder, self).exchange(hidden, name), name, hidden)

    def replace(self, source: str, target: str) -> None:
        """Rename SOURCE over TARGET in one step."""
        self._patiently(lambda: self._rename(source, target), target, source)

    def publish(self, source: str, target: str) -> None:
        """Give SOURCE the name TARGET; on Windows a rename never overwrites."""
        self._patiently(lambda: self._publish(source, target), target, source)

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        with contextlib.suppress(FileNotFoundError):
            self._patiently(lambda: self._at(name).unlink(), name, verb="remove")

    def remove_folder(self, name: str) -> None:
        """Remove a folder inside this one, unless something is in it."""
        with contextlib.suppress(OSError):
            self._at(name).rmdir()

    def sync(self) -> None:
        """Do nothing: Windows knows no flushing of a folder."""

    def _publish(self, source: str, target: str) -> None:
        if os.name == "nt":
            self._at(source).rename(self._at(target))
        else:
            super()._publish(source, target)

    def _open(self, name: str, flags: int) -> int:
        return os.open(self._at(name), flags, 0o666)

    def _stat(self, name: str) -> os.stat_result:
        return self._at(name).lstat()

    def _open_retired(self, name: str) -> int:
        if windows.kernel() is None:
            return super()._open_retired(name)
        return self._patiently(lambda: windows.open_retired(str(self._at(name))), name, verb="read")

    def _rename(self, source: str, target: str) -> None:
        self._at(source).replace(self._at(target))

    def _link(self, source: str, target: str) -> None:
        os.link(self._at(source), self._at(target), follow_symlinks=False)

    def _move_out(self, hidden: str, name: str, out: str) -> None:
        if windows.kernel() is None:
            super()._move_out(hidden, name, out)
            return
        try:
            windows.replace_file(*(str(self._at(file)) for file in (name, hidden, out)))
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                raise
            super()._move_out(hidden, name, out)

    def _at(self, name: str) -> Path:
        """Return the path of NAME, if this is still the folder that was opened."""
        if self._look() != self._identity:
            raise not_a_folder(self.path)
        return Path(extended(str(self.path / name)))

    def _look(self) -> tuple[int, int]:
        status = Path(extended(str(self.path))).stat()
        return status.st_dev, status.st_ino

    def _patiently(self, action: Callable[[], T], *names: str, verb: str = "write") -> T:
        paths = [self.path / name for name in names]
        if self.seconds != BRIEFLY:
            return insist(action, *paths, seconds=self.seconds, verb=verb)
        for pause in BLINK:
            try:
                return action()
            except OSError as error:
                if not is_held(error, *paths):
                    raise
            time.sleep(pause)
        try:
            return action()
        except OSError as error:
            if not is_held(error, *paths):
                raise
            raise HeldError(f"can't {verb} {paths[0]}: it is in use by another program") from error


def open_path(
    root: Path, parts: list[str], *, create: bool, seconds: float | None = None
) -> PathFolder:
    """Walk down from ROOT part by part; see `folders.open_folder`."""
    path = root
    for part in parts:
        path = path / part
        place = Path(extended(str(path)))
        if create:
            with contextlib.suppress(FileExistsError):
                place.mkdir()
        status = place.lstat()
        if is_link(status) or not stat.S_ISDIR(status.st_mode):
            raise not_a_folder(path)
    return PathFolder(path, seconds)
