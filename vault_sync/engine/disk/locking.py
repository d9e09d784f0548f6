"""One writer at a time in a vault, from whichever workspace it comes.

The locks lie in a folder of the user's, named after the vault: two workspaces that share a vault
wait for each other, and a synchroniser never carries a lock to another machine.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import json
import os
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from featherface.errors import LockedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 10.0
"""Seconds to wait for another writer to end."""
SLOTS = 16
"""Locks that the files of a vault share."""
_HOLDER = "holder.json"


@contextlib.contextmanager
def locked(vault: Path, owner: str = "", patience: float | None = None) -> Iterator[None]:
    """Hold the lock of a vault; OWNER says who holds it, to whoever has to wait.

    PATIENCE: seconds to wait for another writer to end, where not the usual ones.

    Raises:
        LockedError: another process holds it and does not let go.
        UnavailableError: no lock can be made.
    """
    folder = lock_folder(vault)
    with _held(folder / "vault.lock", vault, patience):
        holder = folder / _HOLDER
        with contextlib.suppress(OSError):
            text = json.dumps({"pid": os.getpid(), "owner": owner}, ensure_ascii=False)
            holder.write_text(text, encoding="utf-8")
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                holder.unlink(missing_ok=True)


def file_lock(vault: Path, path: str) -> contextlib.AbstractContextManager[None]:
    """Lock one file of the vault; a slot stands for many files."""
    slot = int(hashlib.sha256(path.encode()).hexdigest()[:4], 16) % SLOTS
    return _held(lock_folder(vault) / f"file-{slot:02d}.lock", vault)


def holder(vault: Path) -> str | None:
    """Say who holds the lock of a vault now; None where nobody does."""
    folder = lock_folder(vault)
    lock = FileLock(str(folder / "vault.lock"))
    try:
        with lock.acquire(timeout=0):
            return None
    except Timeout:
        return _read_holder(folder)


def lock_folder(vault: Path) -> Path:
    """Return the folder of a vault's locks, made where it was missing.

    Raises:
        UnavailableError: neither the user's folder nor a temporary one can be written.
    """
    name = unicodedata.normalize("NFC", str(vault.resolve())).casefold()
    return _make(hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16])


def _make(name: str) -> Path:
    from platformdirs import user_state_path  # noqa: PLC0415 - not needed for reading

    refusal: OSError | None = None
    places = (user_state_path("thesis", appauthor=False), Path(tempfile.gettempdir()) / _private())
    for place in places:
        folder = place / "locks" / name
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            refusal = refusal or error
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise UnavailableError(
        f"can't make a lock in {places[0]}: {refusal.strerror if refusal else 'read-only'}",
        "make that folder writable, then run the command again",
    )


def _private() -> str:
    try:
        return f"thesis-{getpass.getuser()}"
    except (KeyError, OSError, ImportError):
        return "thesis-locks"


@contextlib.contextmanager
def _held(path: Path, vault: Path, patience: float | None = None) -> Iterator[None]:
    lock = FileLock(str(path))
    try:
        lock.acquire(timeout=PATIENCE if patience is None else patience)
    except Timeout as error:
        who = _read_holder(path.parent)
        raise LockedError(
            f"another sync is writing into {vault} ({who})", "wait until it is done, then try again"
        ) from error
    except OSError as error:
        raise UnavailableError(
            f"can't lock {path}: {error.strerror or error}",
            "make that folder writable, then run the command again",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _read_holder(folder: Path) -> str:
    try:
        content = json.loads((folder / _HOLDER).read_text(encoding="utf-8"))
        return f"process {int(content['pid'])}, {content['owner'] or 'no name'}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that just began"
