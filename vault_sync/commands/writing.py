"""The one way to write into a vault: lock, recovery, journalled writes, state.

It holds the vault's lock, completes what a crash left open, writes with a journal, and remembers
what was written. Nothing else opens a file of a vault for writing.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Any

from featherface.errors import UnavailableError
from vault_sync.commands.ownership import check_owner, claim
from vault_sync.engine.applying import Applier, WriteOutcome
from vault_sync.engine.disk.locking import locked
from vault_sync.engine.recovery import recover
from vault_sync.engine.state import Bases, read_state, state_path, write_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.engine.plans import Write
    from vault_sync.engine.state import State


class VaultWriter:
    """Writes into one vault while its lock is held."""

    def __init__(self, workspace: Workspace, vault: Path, about: dict[str, Any]) -> None:
        self.workspace = workspace
        self.vault = vault
        self.memory = state_path(workspace.state, vault, workspace.vault)
        self.bases = Bases(workspace.state)
        self.kept_aside: list[Path] = []
        """Saves of an editor that crossed a write and were kept aside."""
        self.applier = Applier(
            vault, workspace.state, self.bases, identity=self.memory.stem, about=about
        )

    @property
    def state(self) -> State:
        """What is remembered of the vault."""
        return read_state(self.memory)

    def write(self, writes: Sequence[Write], state: State | None = None) -> WriteOutcome:
        """Write every file that still is as it was planned from, and remember STATE with them.

        Raises:
            UnavailableError: the disk is full, read-only or failing; no file is half-written, and
                what was written is remembered at the next opening.
        """
        outcome = self.applier.apply(tuple(writes), self.state if state is None else state)
        write_state(self.memory, outcome.state)
        self.kept_aside += outcome.kept_aside
        return outcome

    def recover(self) -> None:
        """Complete what a crash left open, and remember what had been written by then."""
        state = self.state
        completed = recover(self.workspace.state, self.vault, self.memory.stem)
        for write in completed:
            if write.written:
                state = state.patched(write.intent["remember"])
            self.kept_aside += write.kept_aside
        if completed:
            write_state(self.memory, state)

    def warnings(self) -> list[str]:
        """Tell of the saves that were kept aside."""
        return [
            f"a save of yours crossed a write of this program; it was kept in {path}"
            for path in self.kept_aside
        ]


@contextlib.contextmanager
def writing(
    workspace: Workspace,
    vault: Path,
    what: str = "",
    *,
    patience: float | None = None,
    take_over: bool = False,
    **about: Any,
) -> Iterator[VaultWriter]:
    """Open a vault for writing; the journal names WHAT is done, for `thesis vault undo --list`.

    PATIENCE: seconds to wait for another process that writes into it, where not the usual ones.
    With TAKE_OVER a vault that another workspace keeps becomes this one's.

    Raises:
        UnavailableError: the vault can't be written.
        LockedError: another process is writing into it.
        RefusedError: another workspace keeps it.
    """
    check_writable(vault)
    with locked(vault, str(workspace.root), patience):
        if not take_over:
            check_owner(workspace, vault)
        claim(workspace, vault)
        writer = VaultWriter(workspace, vault, {"what": what, **about})
        writer.recover()
        yield writer
        writer.applier.finish()


def write_notes(
    workspace: Workspace, vault: Path, writes: Sequence[Write], what: str = ""
) -> WriteOutcome:
    """Write notes that were planned outside of a sync; see `VaultWriter.write`.

    `changed` of the outcome names files that someone saved since they were read: read them, plan
    and write again. WHAT names the command, for `thesis vault undo --list`.
    """
    with writing(workspace, vault, what) as writer:
        return writer.write(writes)


def check_writable(vault: Path) -> None:
    """Make sure that files can be made in the vault.

    Raises:
        UnavailableError: the folder is read-only.
    """
    if not _admits(vault):
        raise UnavailableError(
            f"the vault {vault} is read-only",
            "give yourself the right to write there, or choose another vault in thesis.toml",
        )


def _admits(folder: Path) -> bool:
    """Whether files may be made in FOLDER, as far as that can be told without trying.

    Windows marks folders with an icon of their own (the desktop, OneDrive) as read-only, which
    means nothing there.
    """
    if os.name == "nt":
        return True
    return os.access(folder, os.W_OK) and bool(stat.S_IMODE(folder.stat().st_mode) & 0o222)
