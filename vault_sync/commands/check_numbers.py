"""Check the numbers of a vault, bound and plain, fix and suggest bound ones."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vault_sync.commands.block_states import check_blocks
from vault_sync.commands.dry_run import find_vault
from vault_sync.commands.fix_numbers import FixReport, rewrite_numbers, write_all
from vault_sync.commands.number_census import count_numbers
from vault_sync.engine.vault_reader import read_vault
from vault_sync.prose.bindings import LineIndex
from vault_sync.prose.checking import NumberChecker, NumberFinding
from vault_sync.prose.choice import choose_notes
from vault_sync.prose.line_starts import find_line_openers
from vault_sync.prose.memory import NumberMemory
from vault_sync.prose.suggestions import Suggester, Suggestion
from vault_sync.prose.unbacked import PlainResult, results_of
from vault_sync.prose.values import ReferenceValues

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.workspace.workspace import Workspace
    from vault_sync.commands.block_states import BlockFinding
    from vault_sync.engine.notes import Note, Snapshot
    from vault_sync.engine.plans import Write


class ProseNumbers:
    """The bound and the plain numbers in the prose of a vault, read once."""

    def __init__(
        self,
        workspace: Workspace,
        names: Sequence[str] = (),
    ) -> None:
        """Take the vault of WORKSPACE, or in it the notes called NAMES.

        Raises:
            NotFoundError: there is no vault, or no such note.
        """
        self.workspace = workspace
        self.vault = find_vault(workspace)
        self.names = tuple(names)
        self.values = ReferenceValues(workspace)
        self.memory = NumberMemory(workspace)
        self.checker = NumberChecker(self.values, self.memory, workspace.language)
        self.snapshot = read_vault(self.vault)
        self.choice = choose_notes(self.snapshot, self.vault, names)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The chosen notes."""
        return self.choice.notes

    @cached_property
    def all_blocks(self) -> list[BlockFinding]:
        """Every generated block, picture and property of the vault that the records differ from."""
        if not any(note.scan.blocks or note.scan.faults for note in self.snapshot.notes.values()):
            return []  # nothing was generated here: there is no report to make
        return check_blocks(self.workspace, self.vault)

    @property
    def blocks(self) -> list[BlockFinding]:
        """Those of the chosen notes; of the whole vault where none was chosen."""
        if not self.names:
            return self.all_blocks
        paths = {note.path for note in self.notes}
        return [block for block in self.all_blocks if block.note in paths]

    @cached_property
    def results(self) -> list[PlainResult]:
        """Every plain number of the chosen notes that reads like a result, backed or not."""
        return [result for note in self.notes for result in results_of(note)]

    @property
    def unbacked(self) -> list[PlainResult]:
        """The plain numbers that read like results and that nothing backs."""
        return [result for result in self.results if not result.backing]

    @property
    def counts(self) -> dict[str, int]:
        """How many numbers of the chosen notes are proved, cited, unbacked and so on."""
        return count_numbers(self.findings, self.results, self.blocks)

    @cached_property
    def line_openers(self) -> list[str]:
        """`note:line:column` of each comment that makes HTML of the line it opens."""
        places = []
        for note in self.notes:
            if b"<!--" in note.data:
                lines = LineIndex(note.data)
                for start in find_line_openers(note.data):
                    place = lines.place(start)
                    places.append(f"{note.path}:{place.line}:{place.column}")
        return places

    @cached_property
    def findings(self) -> list[NumberFinding]:
        """Every bound number of the chosen notes, by note, line and column."""
        findings = list(self.checker.check(self.notes))
        self.memory.save()
        return findings

    def fix(self, *, edited: bool = False) -> FixReport:
        """Write stale numbers as their records have them; with EDITED hand-edited ones too.

        A comment that makes HTML of its line is put right with them.
        """
        states = ("stale", "hand-edited") if edited else ("stale",)

        def plan(paths: Sequence[str] | None) -> Mapping[str, Write]:
            notes = self.notes if paths is None else self._again(paths)
            findings = self.findings if paths is None else list(self.checker.check(notes))
            return _writes(notes, [finding for finding in findings if finding.state in states])

        fixed = write_all(self.workspace, self.vault, plan, "check numbers --fix")
        self.reread()
        return fixed

    def reread(self) -> Snapshot:
        """Read the vault again, after something was written there."""
        self.snapshot = read_vault(self.vault)
        self.choice = choose_notes(self.snapshot, self.vault, self.names)
        for name in ("findings", "all_blocks", "results", "line_openers"):
            self.__dict__.pop(name, None)
        return self.snapshot

    def suggest(self, *, current: bool = True) -> list[Suggestion]:
        """Return plain numbers of the chosen notes that equal a value of a run or cited result.

        Without CURRENT only those that an earlier version had and the latest has not.
        """
        return list(Suggester(self.values, self.checker).suggest(self.notes, current=current))

    def _again(self, paths: Sequence[str]) -> list[Note]:
        notes = read_vault(self.vault).notes
        return [notes[path] for path in paths if path in notes]


def check(workspace: Workspace, names: Sequence[str] = ()) -> list[NumberFinding]:
    """Judge every bound number of the vault, or of the notes called NAMES.

    Raises:
        NotFoundError: there is no vault, or no such note.
    """
    return ProseNumbers(workspace, names).findings


def _writes(notes: Sequence[Note], findings: Iterable[NumberFinding]) -> dict[str, Write]:
    of_note: dict[str, list[NumberFinding]] = {}
    for finding in findings:
        of_note.setdefault(finding.note, []).append(finding)
    writes = {}
    for note in notes:
        write = rewrite_numbers(note, of_note.get(note.path, ()))
        if write is not None:
            writes[note.path] = write
    return writes
