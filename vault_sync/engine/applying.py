"""The only writer into a vault.

Per file: lock; read again and compare with what the plan saw; journal the file as it was; write
a hidden temporary file beside it; compare once more; exchange the two in one step where the
system can; look at what came out, and swap back if a student had saved in between; flush.
At every moment the file is the old one or the new one, whole.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from featherface.errors import RefusedError, UnavailableError
from featherface.files import write_atomic
from vault_sync.engine.folders import open_folder
from vault_sync.engine.journal import Journal
from vault_sync.engine.locking import file_lock
from vault_sync.engine.names import is_safe, parent
from vault_sync.engine.plans import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from vault_sync.engine.folders import Folder
    from vault_sync.engine.plans import Write
    from vault_sync.engine.state import Bases, State

CHANGED = "was saved by another program while the sync was writing; it was left as it is"
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EBUSY, errno.ETXTBSY)


@dataclass
class Outcome:
    """What became of the writes of a plan."""

    state: State
    written: list[str] = field(default_factory=list)
    refused: list[Trouble] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    """Notes that someone saved meanwhile: to be planned again."""


class Applier:
    """Writes the files of a plan into one vault."""

    def __init__(self, vault: Path, state_folder: Path, bases: Bases) -> None:
        self.vault = vault
        self.conflicts = state_folder / "conflicts"
        self.bases = bases
        self.journal = Journal(state_folder, vault)

    def apply(self, writes: tuple[Write, ...], state: State) -> Outcome:
        """Write every file; one that can't be written is reported, and the others go on.

        Raises:
            UnavailableError: the disk is full, read-only or failing; OUTCOME so far is on disk.
        """
        outcome = Outcome(state)
        for write in writes:
            try:
                self._apply(write, outcome)
            except RefusedError as error:
                outcome.refused.append(Trouble(write.path, error.message))
            except OSError as error:
                if error.errno not in _NOT_OURS:
                    raise _unavailable(self.vault, write, error) from error
                reason = f"can't be written: {error.strerror}"
                outcome.refused.append(Trouble(write.path, reason))
        return outcome

    def finish(self) -> None:
        """Close the journal, once what was written is remembered."""
        self.journal.end()

    def _apply(self, write: Write, outcome: Outcome) -> None:
        if not is_safe(write.path):
            raise RefusedError(f"{write.path!r} is not a path that every system accepts")
        for body in write.bodies.values():
            self.bases.keep(body)
        with (
            file_lock(self.vault, write.path),
            open_folder(self.vault, parent(write.path), create=write.before is None) as folder,
        ):
            step("locked")
            if self._write(folder, write):
                outcome.written.append(write.path)
                outcome.state = outcome.state.with_write(write)
            else:
                outcome.changed.append(write.path)

    def _write(self, folder: Folder, write: Write) -> bool:
        """Bring one file from before to after; False where someone saved it meanwhile."""
        name = write.path.rsplit("/", 1)[-1]
        temporary = f".{secrets.token_hex(8)}.thesis-tmp"
        if folder.read(name) != write.before:
            return False
        mode = None if write.before is None else folder.mode(name)
        if mode is not None and not mode & 0o222:
            raise RefusedError("the file is marked read-only")
        step("read")
        self.journal.intend(write, write.before, temporary)
        step("journalled")
        try:
            folder.create(temporary, write.after, mode)
            step("temporary")
            self.journal.ready()
            written = self._swap(folder, write, temporary, name)
            step("swapped")
            folder.remove(temporary)
            folder.sync()
            step("synced")
        except BaseException:
            with contextlib.suppress(OSError):  # else the next sync recovers
                self.journal.settle()
            raise
        self.journal.done(written=written)
        step("done")
        return written

    def _swap(self, folder: Folder, write: Write, temporary: str, name: str) -> bool:
        """Put the new file in place; True where the student's latest save is not touched by it."""
        if write.before is None:
            try:
                folder.publish(temporary, name)
            except FileExistsError:
                return False
            return True
        if folder.read(name) != write.before:
            return False
        step("compared")
        try:
            if not folder.exchange(temporary, name):
                folder.replace(temporary, name)
                return True
        except FileNotFoundError:
            return False  # deleted or moved meanwhile
        step("exchanged")
        return self._check(folder, write, temporary, name)

    def _check(self, folder: Folder, write: Write, temporary: str, name: str) -> bool:
        """Look at the file that came out of the exchange; a save in between goes back."""
        out = folder.read(temporary)
        if out == write.before:
            return True
        folder.exchange(temporary, name)
        back = folder.read(temporary)
        if back not in (write.after, None) and out is not None:
            # Saved twice in between: the later save goes back, the earlier one is kept aside.
            folder.exchange(temporary, name)
            self._keep_aside(write.path, out)
        return False

    def _keep_aside(self, path: str, data: bytes) -> None:
        name = f"{hashlib.sha256(data).hexdigest()[:12]}-{path.rsplit('/', 1)[-1]}"
        write_atomic(self.conflicts / "recovered" / name, data)


def step(name: str) -> None:
    """Mark a step of a write; tests break in here."""
    del name


def _unavailable(vault: Path, write: Write, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"can't write {vault / write.path}: {error.strerror or error}; no file was half-written",
        "free some space or make the vault writable, then: thesis report sync --to vault",
    )
