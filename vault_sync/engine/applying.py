"""The only writer into a vault: it writes the files of a plan, each by a `FileWrite`.

A file that another program holds is put off until the others are written, then waited for.
"""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from featherface.errors import HeldError, RefusedError, UnavailableError
from featherface.filesystem.os_errors import remedy
from vault_sync.engine import file_write
from vault_sync.engine.disk.folders import open_folder
from vault_sync.engine.disk.locking import file_lock
from vault_sync.engine.disk.names import is_safe, parent
from vault_sync.engine.disk.paths import BRIEFLY
from vault_sync.engine.file_write import FileWrite, is_refusal
from vault_sync.engine.journal import Journal
from vault_sync.engine.plans import Trouble, Write, state_patch

if TYPE_CHECKING:
    from pathlib import Path

    from vault_sync.engine.state import Bases, State

CHANGED = "was saved by another program while the sync was writing; it was left as it is"
PATIENCE, LEAST = 60.0, 2.0
"""Seconds to wait for all files together that other programs hold, and for each one at least."""


@dataclass
class WriteOutcome:
    """What became of the writes of a plan."""

    state: State
    written: list[str] = field(default_factory=list)
    refused: list[Trouble] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    """Notes that someone saved meanwhile: to be planned again."""
    kept_aside: list[Path] = field(default_factory=list)
    """Files with saves of an editor that a later save replaced while the sync was writing."""


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
        self._folder = _folder_identity(vault)

    def apply(self, writes: tuple[Write, ...], state: State) -> WriteOutcome:
        """Write every file; one that can't be written is reported, and the others go on.

        Raises:
            UnavailableError: the disk is full, read-only or failing; files written before stay so.
        """
        outcome = WriteOutcome(state)
        held = [write for write in writes if not self._attempt(write, outcome, BRIEFLY)]
        end = time.monotonic() + PATIENCE
        for write in held:
            self._attempt(write, outcome, max(LEAST, end - time.monotonic()))
        return outcome

    def _attempt(self, write: Write, outcome: WriteOutcome, seconds: float) -> bool:
        """Write a file; False where it is held and was waited for BRIEFLY only."""
        try:
            self._apply(write, outcome, seconds)
        except HeldError as error:
            if seconds == BRIEFLY:
                return False
            outcome.refused.append(Trouble(write.path, error.message))
        except RefusedError as error:
            outcome.refused.append(Trouble(write.path, error.message))
        except FileNotFoundError as error:
            if not self.vault.is_dir():
                raise _unavailable(self.vault, write, error) from error
            outcome.changed.append(write.path)
        except OSError as error:
            if not is_refusal(error):
                raise _unavailable(self.vault, write, error) from error
            reason = f"can't be written: {error.strerror}"
            outcome.refused.append(Trouble(write.path, reason))
        return True

    def finish(self) -> None:
        """Close the journal, once what was written is remembered."""
        self.journal.end()

    def _apply(self, write: Write, outcome: WriteOutcome, seconds: float) -> None:
        if _folder_identity(self.vault) != self._folder:
            raise OSError(errno.ENODEV, "the vault was taken away meanwhile")
        if not is_safe(write.path):
            raise RefusedError(f"{write.path!r} is not a path that every system accepts")
        for body in (*write.bodies.values(), *write.kept):
            self.bases.keep(body)
        new_folders = _missing_folders(self.vault, write) if write.before is None else []
        patch = state_patch(write)
        memory = patch, outcome.state.inverse(patch)
        where, create = parent(write.path), write.before is None
        with (
            file_lock(self.vault, write.path),
            open_folder(self.vault, where, create=create, seconds=seconds) as folder,
        ):
            file_write.step("locked")
            writing = FileWrite(self.journal, folder, write, outcome.kept_aside)
            if writing.run(memory, new_folders):
                outcome.written.append(write.path)
                outcome.state = outcome.state.patched(patch)
            else:
                outcome.changed.append(write.path)


def _folder_identity(vault: Path) -> tuple[int, int] | None:
    """Return device and inode, which tell a folder from what a mount point of its name hides."""
    try:
        status = vault.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _missing_folders(vault: Path, write: Write) -> list[str]:
    """Return the folders that will be made for a new file, outermost first."""
    parts = parent(write.path).split("/") if parent(write.path) else []
    folders = ["/".join(parts[: place + 1]) for place in range(len(parts))]
    return [folder for folder in folders if not (vault / folder).exists()]


def _unavailable(vault: Path, write: Write, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"can't write {vault / write.path}: {error.strerror or error}; no file was half-written",
        f"{remedy(error, vault / write.path)}, then: thesis report sync --to vault",
    )
