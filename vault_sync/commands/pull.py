"""Pull the answers that stand in run notes into the annotations of the runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from experiments.records.store import Store
from featherface.errors import RefusedError
from vault_sync.commands.dry_run import find_vault
from vault_sync.commands.writing import writing
from vault_sync.engine.applying import CHANGED
from vault_sync.engine.disk.locking import locked
from vault_sync.engine.plans import Write
from vault_sync.engine.state import read_state, state_path, write_state
from vault_sync.engine.vault_reader import read_vault
from vault_sync.rendering.sources import run_identity
from vault_sync.run_note_fields.exchange import apply, updates_of
from vault_sync.run_note_fields.review import Move, review
from vault_sync.run_note_fields.sheets import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace
    from vault_sync.commands.writing import VaultWriter
    from vault_sync.engine.state import State
    from vault_sync.run_note_fields.review import FieldStatus, Review, RunNote
    from vault_sync.run_note_fields.table import FieldText

NOTE, INDEX = "note", "index"
"""Whose answer wins where both changed."""


@dataclass(frozen=True)
class PulledAnswer:
    """An answer that was taken over, waits, or contradicts the annotations."""

    run: str
    answer: str
    path: str
    line: int
    """1-based; 0 where the note does not hold the answer."""
    note: FieldText | None
    """What the note says."""
    index: FieldText
    """What was kept of the run when the note was read."""

    @property
    def place(self) -> str:
        """Return `path:line`."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True)
class RejectedAnswer:
    """An answer of a note that can't be taken over."""

    run: str
    answer: str
    path: str
    line: int
    value: str
    reason: str
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        value = f" {self.value!r}" if self.value and repr(self.value) not in self.reason else ""
        return f"{self.path}:{self.line}: {self.answer}{value}: {self.reason}"


@dataclass
class PullReport:
    """What a pull did, or would do."""

    taken: list[PulledAnswer] = field(default_factory=list)
    """From note to index."""
    waiting: list[PulledAnswer] = field(default_factory=list)
    """Newer in the index: the next sync puts them into the notes."""
    written: list[PulledAnswer] = field(default_factory=list)
    """Contradictions that the index won: they were put into the notes."""
    conflicts: list[PulledAnswer] = field(default_factory=list)
    invalid: list[RejectedAnswer] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """One sentence per note that was left alone."""
    warnings: list[str] = field(default_factory=list)
    notes: int = 0
    """How many notes were read."""

    @property
    def problem(self) -> RefusedError | None:
        """The error that tells of what could not be taken; None where all is well."""
        contradictions = [
            f"{conflict.place}: {conflict.answer} says {one_line(conflict.note or '')!r}, "
            f"but {one_line(conflict.index)!r} is kept of {conflict.run}; "
            "both changed since they last agreed"
            for conflict in self.conflicts
        ]
        reasons = [*contradictions, *map(str, self.invalid), *self.refused]
        if not reasons:
            return None
        hint = "correct what is named, then: thesis vault pull"
        if self.conflicts:
            runs = " ".join(dict.fromkeys(conflict.run for conflict in self.conflicts))
            hint = f"say which of the two stays: thesis vault pull --take note|index {runs}"
        return RefusedError("\n  ".join(reasons), hint)


def pull(
    workspace: Workspace,
    selectors: Sequence[str] = (),
    *,
    source: Path | str | None = None,
    take: str = "",
    dry_run: bool = False,
) -> PullReport:
    """Read the answers of the notes of all runs, or of those that SELECTORS mean.

    A missing answer says nothing; an empty one clears. TAKE (`note` or `index`) decides where
    both changed. SOURCE is another vault than the workspace's. With DRY_RUN nothing is written.

    Raises:
        NotFoundError: there is no such vault or run.
        UnavailableError: something can't be read or written.
        LockedError: another process is writing into the vault.
    """
    vault = find_vault(workspace, source)
    store = Store(workspace)
    chosen = [store.find(selector) for selector in selectors] if selectors else None
    puller = _Puller(store, vault, chosen, take)
    if dry_run:
        puller.read()
    elif take == INDEX:
        with writing(workspace, vault, "vault pull --take index") as writer:
            puller.read()
            puller.keep()
            puller.write(writer)
    else:
        with locked(vault, str(workspace.root)):
            puller.read()
            puller.keep()
    return puller.report


class _Puller:
    """Reads the notes, decides per answer, and writes annotations or notes."""

    def __init__(self, store: Store, vault: Path, chosen: list[Run] | None, take: str) -> None:
        self.store = store
        self.vault = vault
        self.chosen = chosen
        self.take = take
        self.memory = state_path(store.workspace.state, vault, store.workspace.vault)
        self.report = PullReport()
        self.run_notes: list[RunNote] = []
        self.state = read_state(self.memory)

    def read(self) -> None:
        """Read the notes, and sort their answers by the direction in which they are copied."""
        self.state = read_state(self.memory)
        reviewed = review(read_vault(self.vault), self.store.runs(), self.state.answers)
        self.run_notes = [
            run_note for run_note in reviewed.run_notes if self._is_chosen(run_note.run.id)
        ]
        self._refuse(reviewed)
        for run_note in self.run_notes:
            self._sort(run_note)
        self.report.notes = len(self.run_notes)

    def keep(self) -> None:
        """Take the answers over, and remember what note and record agree on now."""
        known: dict[str, Any] = {}
        for run_note in self.run_notes:
            statuses = self._to_index(run_note)
            if statuses:
                words = {
                    status.note_field.field: status.given.words
                    for status in statuses
                    if status.given
                }
                self.store.annotate(run_note.run, **words)
            agreed = {
                status.note_field.key: status.given.words for status in statuses if status.given
            }
            known[run_identity(run_note.run)] = {**run_note.agreed, **agreed}
        self.state = self._remember(known)

    def write(self, writer: VaultWriter) -> None:
        """Put the answers of the index into the notes that contradict them."""
        outcome = writer.write(
            [write for run_note in self.run_notes for write in self._changes(run_note)]
        )
        self.report.refused += [str(trouble) for trouble in outcome.refused]
        self.report.refused += [f"{path}: {CHANGED}" for path in outcome.changed]
        self.report.written = [
            answer for answer in self.report.written if answer.path in outcome.written
        ]

    def _changes(self, run_note: RunNote) -> Iterator[Write]:
        updates, blocked = updates_of(run_note, run_note.of(Move.CONFLICT))
        self.report.refused += blocked.values()
        if updates.values or updates.splices:
            data, identity = run_note.note.data, run_identity(run_note.run)
            remember = {**self.state.answers.get(identity, {}), **updates.after}
            after = apply(data, updates)
            yield Write(run_note.note.path, data, after, identity, answers=remember)

    def _is_chosen(self, run: str) -> bool:
        return self.chosen is None or any(chosen.id == run for chosen in self.chosen)

    def _to_index(self, run_note: RunNote) -> list[FieldStatus]:
        both = run_note.of(Move.CONFLICT) if self.take == NOTE else []
        return [*run_note.of(Move.TO_INDEX), *both]

    def _sort(self, run_note: RunNote) -> None:
        report, both = self.report, run_note.of(Move.CONFLICT)
        report.taken += map(_moved, self._to_index(run_note))
        newer = run_note.of(Move.TO_NOTE)
        _, blocked = updates_of(run_note, newer)
        report.waiting += [
            _moved(status) for status in newer if status.note_field.key not in blocked
        ]
        report.warnings += blocked.values()
        report.written += map(_moved, both if self.take == INDEX else ())
        report.conflicts += map(_moved, () if self.take else both)
        report.invalid += [
            RejectedAnswer(
                run_note.run.id,
                each.answer,
                run_note.note.path,
                each.line,
                each.value,
                each.reason,
                each.choices,
            )
            for each in run_note.invalid
        ]

    def _refuse(self, reviewed: Review) -> None:
        """Tell of notes that say to be of the same run, of none, and of runs without one."""
        for run, reason in reviewed.damaged.items():
            if self._is_chosen(run):
                self.report.refused.append(f"{run}: {reason}")
        for run, paths in reviewed.doubled.items():
            if self._is_chosen(run):
                self.report.refused.append(
                    f"{', '.join(paths)}: all have the thesis_id 'run/{run}'; take it out of all "
                    "but one"
                )
        if self.chosen is None:
            self.report.warnings += [f"{path}: there is no such run" for path in reviewed.orphans]
            return
        there = (
            {run_note.run.id for run_note in self.run_notes}
            | set(reviewed.doubled)
            | set(reviewed.damaged)
        )
        self.report.warnings += [
            f"{run.id} has no note in the vault; make it with: thesis report sync"
            for run in self.chosen
            if run.id not in there
        ]

    def _remember(self, known: dict[str, Any]) -> State:
        """Keep what was agreed on, unless it is known."""
        answers = {**self.state.answers, **{key: words for key, words in known.items() if words}}
        state = replace(self.state, answers=answers)
        write_state(self.memory, state)
        return state


def _moved(status: FieldStatus) -> PulledAnswer:
    words = status.given.words if status.given else None
    return PulledAnswer(
        status.run.id,
        status.note_field.key,
        status.path,
        status.line,
        words,
        status.indexed,
    )
