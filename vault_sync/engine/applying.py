"""The only writer into a vault.

Per file: lock; read again and compare with what the plan saw; journal the file as it was; write
a hidden temporary file beside it; compare once more; exchange the two in one step where the
system can; look at what came out, and swap back if a student had saved in between; flush.
At every moment the file is the old one or the new one, whole.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from featherface.errors import HeldError, RefusedError, UnavailableError
from vault_sync.engine.folders import open_folder
from vault_sync.engine.journal import Journal, keep_aside
from vault_sync.engine.locking import file_lock
from vault_sync.engine.names import is_safe, parent
from vault_sync.engine.plans import Trouble, Write
from vault_sync.engine.state import remembered

if TYPE_CHECKING:
    from pathlib import Path

    from vault_sync.engine.folders import Folder
    from vault_sync.engine.journal import Intent
    from vault_sync.engine.retired import Retired
    from vault_sync.engine.state import Bases, Patch, State

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
    kept: list[Path] = field(default_factory=list)
    """Saves that a later save took the place of within the same moment, kept aside."""


class Applier:
    """Writes the files of a plan into one vault."""

    def __init__(
        self,
        vault: Path,
        state_folder: Path,
        bases: Bases,
        *,
        identity: str = "",
        about: dict[str, Any] | None = None,
    ) -> None:
        self.vault = vault
        self.state_folder = state_folder
        self.bases = bases
        self.journal = Journal(state_folder, vault, identity or str(vault), about or {})
        self._folder = _which(vault)

    def apply(self, writes: tuple[Write, ...], state: State) -> Outcome:
        """Write every file; one that can't be written is reported, and the others go on.

        Raises:
            UnavailableError: the disk is full, read-only or failing; OUTCOME so far is on disk.
        """
        outcome = Outcome(state)
        for write in writes:
            try:
                self._apply(write, outcome)
            except (RefusedError, HeldError) as error:
                outcome.refused.append(Trouble(write.path, error.message))
            except FileNotFoundError as error:
                if not self.vault.is_dir():
                    raise _unavailable(self.vault, write, error) from error
                outcome.changed.append(write.path)
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
        if _which(self.vault) != self._folder:
            raise OSError(errno.ENODEV, "the vault was taken away meanwhile")
        if not is_safe(write.path):
            raise RefusedError(f"{write.path!r} is not a path that every system accepts")
        for body in write.bodies.values():
            self.bases.keep(body)
        made = _missing_folders(self.vault, write) if write.before is None else []
        patch = remembered(write)
        memory = patch, outcome.state.inverse(patch)
        with (
            file_lock(self.vault, write.path),
            open_folder(self.vault, parent(write.path), create=write.before is None) as folder,
        ):
            step("locked")
            writing = _Writing(self, folder, write, outcome)
            if writing.run(memory, made):
                outcome.written.append(write.path)
                outcome.state = outcome.state.patched(patch)
            else:
                outcome.changed.append(write.path)


class _Writing:
    """One file on its way from before to after."""

    def __init__(self, applier: Applier, folder: Folder, write: Write, outcome: Outcome) -> None:
        self.applier = applier
        self.folder = folder
        self.write = write
        self.outcome = outcome
        self.name = write.path.rsplit("/", 1)[-1]
        self.temporary = f".{secrets.token_hex(8)}.thesis-tmp"
        self.left: bytes | None = write.after
        """What the temporary name holds, as far as this program knows."""

    def run(self, memory: tuple[Patch, Patch], made: list[str]) -> bool:
        """Bring the file from before to after; False where someone saved it meanwhile."""
        write = self.write
        if self.folder.read(self.name) != write.before:
            return False
        step("read")
        mode = None if write.before is None else self.folder.mode(self.name)
        if mode is not None and not mode & 0o222:
            raise RefusedError("the file is marked read-only")
        intent = self.applier.journal.intend(write, self.temporary, memory, made)
        step("journalled")
        written = True
        if write.after != write.before:
            try:
                written = self._bring(intent, mode)
                step("swapped")
                written = self._clear(written=written)
                self.folder.sync()
                step("synced")
            except BaseException:
                with contextlib.suppress(OSError):  # else the next sync recovers
                    intent.settle()
                raise
        intent.done(written=written)
        step("done")
        return written

    def _bring(self, intent: Intent, mode: int | None) -> bool:
        if self.write.after is None:
            intent.ready()
            return self._take_away()
        self.folder.create(self.temporary, self.write.after, mode)
        step("temporary")
        intent.ready()
        return self._publish() if self.write.before is None else self._swap()

    def _publish(self) -> bool:
        try:
            self.folder.publish(self.temporary, self.name)
        except FileExistsError:
            return False
        return True

    def _take_away(self) -> bool:
        """Give the file a hidden name; one that was saved in between gets its own back."""
        if self.folder.read(self.name) != self.write.before:
            return False
        step("compared")
        try:
            self.folder.replace(self.name, self.temporary)
        except FileNotFoundError:
            return False
        step("exchanged")
        self.left = self.folder.read(self.temporary)
        if self.left in (self.write.before, None):
            return True
        if not self._publish() and self.left is not None:
            self._keep_aside(self.left)
        return False

    def _swap(self) -> bool:
        """Put the new file in place; True where the student's latest save is not touched by it."""
        if self.folder.read(self.name) != self.write.before:
            return False
        step("compared")
        try:
            if not self.folder.exchange(self.temporary, self.name):
                return self._replace()
        except FileNotFoundError:
            return False  # deleted or moved meanwhile
        step("exchanged")
        self.left = self.write.before
        out = self.folder.read(self.temporary)
        if out == self.write.before:
            return True
        self._give_back(out)
        return False

    def _replace(self) -> bool:
        """Rename over the old file, where the system can't exchange two."""
        held = self.folder.hold(self.name)
        try:
            self.folder.replace(self.temporary, self.name)
        except BaseException:
            if held:
                held.close()
            raise
        return held is None or self._late(held, self.write.before, written=True)

    def _give_back(self, out: bytes | None) -> None:
        """Put the save that came out of the exchange back in its place.

        Whatever comes out then was saved later still and goes back in turn, until nothing new
        comes out; the earlier saves are kept aside.
        """
        put = self.write.after
        while True:
            self.folder.exchange(self.temporary, self.name)
            came = self.folder.read(self.temporary)
            self.left = put
            if came in (put, None):
                return
            if out is not None:
                self._keep_aside(out)
            put, out = out, came

    def _clear(self, *, written: bool) -> bool:
        """Remove the temporary name; False where an editor was still saving into what it held."""
        try:
            held = self.folder.hold(self.temporary)
        except FileNotFoundError:
            return written
        self.folder.remove(self.temporary)
        return written if held is None else self._late(held, self.left, written=written)

    def _late(self, held: Retired, expected: bytes | None, *, written: bool) -> bool:
        """Give back what was saved into a file that had lost its name already."""
        late = held.last()
        if late == expected:
            return written
        now = self.write.after if written else self.folder.read(self.name)
        again = Write(self.write.path, now, late, remember={})
        if not _Writing(self.applier, self.folder, again, self.outcome).run(({}, {}), []):
            self._keep_aside(late)
        return False

    def _keep_aside(self, data: bytes) -> None:
        state_folder = self.applier.state_folder
        self.outcome.kept.append(keep_aside(state_folder, self.write.path, data))


def _which(vault: Path) -> tuple[int, int] | None:
    """Tell a folder from another one of the same name, such as what a mount point hides."""
    try:
        found = vault.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _missing_folders(vault: Path, write: Write) -> list[str]:
    """Return the folders that will be made for a new file, outermost first."""
    parts = parent(write.path).split("/") if parent(write.path) else []
    folders = ["/".join(parts[: place + 1]) for place in range(len(parts))]
    return [folder for folder in folders if not (vault / folder).exists()]


def step(name: str) -> None:
    """Mark a step of a write; tests break in here."""
    del name


def _unavailable(vault: Path, write: Write, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"can't write {vault / write.path}: {error.strerror or error}; no file was half-written",
        "free some space or make the vault writable, then: thesis report sync --to vault",
    )
