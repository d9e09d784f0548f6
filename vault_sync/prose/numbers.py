"""The bound numbers of a vault: the doors through which commands and reports reach them."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

from vault_sync.engine.notes import read_vault
from vault_sync.prose.bindings import may_hold
from vault_sync.prose.checking import Checker, Finding
from vault_sync.prose.choice import choose_notes
from vault_sync.prose.fixing import Fixed, rewrite_numbers, write_all
from vault_sync.prose.memory import Memory
from vault_sync.prose.values import Values
from vault_sync.sync import find_vault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.store import Store
    from experiments.workspace import Workspace
    from vault_sync.engine.notes import Note, Snapshot
    from vault_sync.engine.plans import Write


class Prose:
    """The prose of a workspace's vault, read once."""

    def __init__(
        self,
        workspace: Workspace,
        names: Sequence[str] = (),
        *,
        snapshot: Snapshot | None = None,
        store: Store | None = None,
    ) -> None:
        """Take the vault of WORKSPACE, or in it the notes called NAMES.

        Raises:
            NotFoundError: there is no vault, or no such note.
        """
        self.workspace = workspace
        self.vault = find_vault(workspace, None)
        self.names = tuple(names)
        self.values = Values(workspace, store)
        self.memory = Memory(workspace)
        self.checker = Checker(self.values, self.memory, workspace.language)
        self.snapshot = snapshot or read_vault(self.vault)
        self.choice = choose_notes(self.snapshot, self.vault, names)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The chosen notes."""
        return self.choice.notes

    @cached_property
    def findings(self) -> list[Finding]:
        """Every bound number of the chosen notes, by note, line and column."""
        found = list(self.checker.check(self.notes))
        self.memory.save()
        return found

    def fix(self, *, edited: bool = False) -> Fixed:
        """Write stale numbers as their records have them; with EDITED hand-edited ones too."""
        states = ("stale", "hand-edited") if edited else ("stale",)

        def plan(paths: Sequence[str] | None) -> Mapping[str, Write]:
            notes = self.notes if paths is None else self._again(paths)
            found = self.findings if paths is None else list(self.checker.check(notes))
            return _writes(notes, [one for one in found if one.state in states])

        fixed = write_all(self.workspace, self.vault, plan)
        self.snapshot = read_vault(self.vault)
        self.choice = choose_notes(self.snapshot, self.vault, self.names)
        self.__dict__.pop("findings", None)
        return fixed

    def _again(self, paths: Sequence[str]) -> list[Note]:
        notes = read_vault(self.vault).notes
        return [notes[path] for path in paths if path in notes]


def check(workspace: Workspace, names: Sequence[str] = ()) -> list[Finding]:
    """Judge every bound number of the vault, or of the notes called NAMES.

    Raises:
        NotFoundError: there is no vault, or no such note.
    """
    return Prose(workspace, names).findings


def count_stale(workspace: Workspace, snapshot: Snapshot, store: Store | None = None) -> str:
    """Say in one line how many bound numbers are no longer true; empty where all are.

    Costs next to nothing in a vault without bound numbers.
    """
    if not any(may_hold(note.data) for note in snapshot.notes.values()):
        return ""
    found = Prose(workspace, snapshot=snapshot, store=store).checker.check(snapshot.notes.values())
    counts = Counter(one.state for one in found)
    wrong = {state: n for state, n in counts.items() if state != "fresh"}
    if not wrong:
        return ""
    told = ", ".join(f"{n} {state}" for state, n in sorted(wrong.items()))
    return f"numbers in the prose: {told} of {sum(counts.values())}; see: thesis check numbers"


def _writes(notes: Sequence[Note], findings: Sequence[Finding]) -> dict[str, Write]:
    found = {}
    for note in notes:
        here = [one for one in findings if one.note == note.path]
        write = rewrite_numbers(note, here) if here else None
        if write is not None:
            found[note.path] = write
    return found
