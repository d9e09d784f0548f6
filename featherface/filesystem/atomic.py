"""Atomic writes: after a crash a file holds the old content or the new, never a part.

Whatever another program holds for a while is waited for (`featherface.filesystem.retry`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from typing import TYPE_CHECKING

from featherface.errors import UnavailableError
from featherface.filesystem.os_errors import unavailable
from featherface.filesystem.retry import MOMENT, insist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


LEFT = ".tmp"
"""How the hidden names end under which files are written."""
LONGEST = 255
"""Bytes of UTF-8 that a file's name may have; what other systems count is never more."""


def left_over(name: str) -> bool:
    """Whether a file of this NAME is one that a crash kept from taking its place."""
    return name.startswith(".") and name.endswith(LEFT)


def beside(path: Path) -> Path:
    """Return a hidden name in PATH's folder, for what shall take its place.

    PATH's own name may be as long as names can be: this one holds the beginning of it then.
    """
    ending = f".{secrets.token_hex(4)}{LEFT}"
    return path.with_name(f".{shortened(path.name, LONGEST - 1 - len(ending))}{ending}")


def shortened(name: str, most: int) -> str:
    """Return the beginning of NAME, at most MOST bytes of UTF-8, no letter cut in two."""
    return name.encode("utf-8", "ignore")[:most].decode("utf-8", "ignore")


def write_atomic(path: Path, content: bytes | str, *, seconds: float | None = None) -> None:
    """Replace PATH by CONTENT (text is UTF-8 with LF): temporary file, fsync, rename, fsync.

    SECONDS are waited for a program that holds it, where not the usual minute.

    Raises:
        HeldError: another program holds PATH; it is as it was.
        UnavailableError: the disk is full, read-only or not writable; PATH is as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with replacing(path, seconds=seconds) as temporary:
        temporary.write_bytes(data)


def keep(path: Path, content: bytes | str) -> None:
    """Write what can be made again, as `write_atomic` does; where that fails it is not kept."""
    with contextlib.suppress(UnavailableError):
        write_atomic(path, content, seconds=MOMENT)


def read_bytes(path: Path) -> bytes:
    """Return the content of PATH, patient where another program lets nobody read it.

    Raises:
        HeldError: it was held for all of the time.
        OSError: as of `open`.
    """
    return insist(path.read_bytes, path, verb="read")


def read_text(path: Path) -> str:
    """Return the UTF-8 text of PATH, line ends as LF; as `read_bytes` else."""
    return insist(lambda: path.read_text(encoding="utf-8"), path, verb="read")


@contextlib.contextmanager
def replacing(path: Path, *, seconds: float | None = None) -> Iterator[Path]:
    """Yield a temporary path beside PATH that takes its place when the block ends well.

    For writers that want a file name (safetensors, ONNX, images).

    Raises:
        HeldError: another program holds PATH; it is as it was.
        UnavailableError: as for `write_atomic`.
    """
    temporary = beside(path)
    try:
        if path.is_dir():  # Windows calls it a lack of permission
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        insist(lambda: sync_file(temporary), path, temporary, seconds=seconds)
        replace(temporary, path, seconds=seconds)
        sync_folder(path.parent)
    except OSError as error:
        raise unavailable(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def replace(source: Path, target: Path, *, seconds: float | None = None) -> None:
    """Rename SOURCE over TARGET, patient where another program holds one of them open.

    Raises:
        HeldError: it was held for all of the time; both are as they were.
        OSError: as of `os.replace`.
    """
    insist(lambda: os.replace(source, target), target, source, seconds=seconds)  # noqa: PTH105 - overwrites on Windows too


def move(source: Path, target: Path) -> None:
    """Give the file or folder SOURCE the name TARGET, which nothing has, with patience.

    Raises:
        HeldError: a program holds it, or a file in it.
        OSError: as of `os.rename`.
    """
    insist(lambda: os.rename(source, target), target, source)  # noqa: PTH104 - as the others here


def remove(path: Path, *, seconds: float | None = None) -> None:
    """Remove a file, patient where another program holds it; one that is not there is no error.

    Raises:
        HeldError: it was held for all of the time.
        OSError: as of `os.unlink`.
    """
    insist(lambda: path.unlink(missing_ok=True), path, seconds=seconds, verb="remove")


def remove_tree(folder: Path, *, seconds: float | None = None) -> None:
    """Remove FOLDER and all below it, patient where another program holds something of it.

    Raises:
        HeldError: something was held for all of the time; what could be removed is.
        OSError: as of `shutil.rmtree`; a folder that is not there is no error.
    """

    def attempt() -> None:
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            if folder.exists():
                raise
        except OSError as error:
            if error.errno == errno.ENOTEMPTY:  # Windows: a removed file stays until it is let go
                raise OSError(errno.EBUSY, error.strerror, str(folder)) from error
            raise

    insist(attempt, folder, seconds=seconds, verb="remove")


def make_folder(path: Path) -> None:
    """Make a folder that is not there, patient where one of that name is being removed.

    Raises:
        HeldError: the name was in use for all of the time.
        FileExistsError: it is there.
        OSError: as of `os.mkdir`.
    """
    insist(path.mkdir, path, verb="make")


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
