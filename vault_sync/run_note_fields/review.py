"""Three-way comparison of run notes and annotations, field by field."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from featherface.errors import DataError
from vault_sync.rendering.sources import run_identity
from vault_sync.run_note_fields.sheets import read_answers
from vault_sync.run_note_fields.table import NOTE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.records.run import Run
    from vault_sync.engine.notes import Note, Snapshot
    from vault_sync.run_note_fields.sheets import GivenAnswer, InvalidAnswer, NoteAnswers
    from vault_sync.run_note_fields.table import FieldText, NoteField

PREFIX = "run/"


class Move(enum.Enum):
    """The direction in which an answer has to be copied."""

    AGREED = "agreed"
    TO_INDEX = "note"
    """The note says something new."""
    TO_NOTE = "index"
    """What is kept of the run is newer."""
    CONFLICT = "conflict"
    """Both say something new, and not the same."""


def decide(
    note_field: NoteField, base: FieldText, note: FieldText | None, index: FieldText
) -> Move:
    """Decide over one answer from its last agreed value BASE and both sides' values now.

    NOTE is None where the note does not hold the answer, which is no change of the student's.
    """
    if note is None:
        return Move.AGREED if note_field.same(index, base) else Move.TO_NOTE
    if note_field.same(note, index):
        return Move.AGREED
    if note_field.same(note, base):
        return Move.TO_NOTE
    return Move.TO_INDEX if note_field.same(index, base) else Move.CONFLICT


@dataclass(frozen=True)
class FieldStatus:
    """One field in the note of one run, and the direction in which it differs."""

    run: Run
    note_field: NoteField
    path: str
    given: GivenAnswer | None
    """What the note says; None where it does not hold the answer."""
    indexed: FieldText
    """What is kept of the run."""
    move: Move

    @property
    def line(self) -> int:
        """Return the line in the note; 0 where it is not there."""
        return self.given.line if self.given else 0


@dataclass(frozen=True)
class RunNote:
    """The note of one run, with the status of each field."""

    run: Run
    note: Note
    statuses: tuple[FieldStatus, ...]
    invalid: tuple[InvalidAnswer, ...]
    answers: NoteAnswers
    agreed: Mapping[str, FieldText] = field(default_factory=dict)
    """Answer -> what note and record agree on now, or last did."""

    def of(self, move: Move) -> list[FieldStatus]:
        """Return the fields that have to be moved as MOVE says."""
        return [status for status in self.statuses if status.move is move]


@dataclass(frozen=True)
class Review:
    """The notes of all runs, and what is wrong with some."""

    run_notes: tuple[RunNote, ...] = ()
    doubled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Run -> the notes that all say to be its."""
    orphans: tuple[str, ...] = ()
    """Notes of runs that do not exist."""
    damaged: Mapping[str, str] = field(default_factory=dict)
    """Run -> why what is kept of it can't be read."""

    @cached_property
    def by_id(self) -> dict[str, RunNote]:
        """Return `thesis_id` -> note."""
        return {run_identity(run_note.run): run_note for run_note in self.run_notes}


def review(
    snapshot: Snapshot, runs: Iterable[Run], agreed: Mapping[str, Mapping[str, object]]
) -> Review:
    """Look at the note of each of RUNS, found by its `thesis_id` wherever it was moved.

    AGREED holds what was last agreed on, by `thesis_id` and answer; where that was lost, what a
    new note says stands in for it. Conflict copies are no notes of the snapshot.
    """
    known = {run_identity(run): run for run in runs}
    run_notes, orphans = [], []
    doubled, damaged = {}, {}
    for identity, notes in sorted(snapshot.by_id.items()):
        if not identity.startswith(PREFIX):
            continue
        if identity not in known:
            orphans += [note.path for note in notes]
        elif len(notes) > 1:
            doubled[known[identity].id] = tuple(note.path for note in notes)
        else:
            try:
                run_notes.append(_run_note(known[identity], notes[0], agreed.get(identity, {})))
            except DataError as error:
                damaged[known[identity].id] = error.message
    return Review(tuple(run_notes), doubled, tuple(orphans), damaged)


def _run_note(run: Run, note: Note, agreed: Mapping[str, object]) -> RunNote:
    answers, annotations = read_answers(note.data), run.annotations
    refused = {invalid.answer for invalid in answers.invalid}
    statuses, now = [], {}
    for key, note_field in NOTE_FIELDS.items():
        last = _words(agreed.get(key))
        base = note_field.start(run) if last is None else last
        given, indexed = answers.given.get(key), note_field.indexed(run, annotations)
        move = decide(note_field, base, given.words if given else None, indexed)
        if key in refused:
            move = Move.AGREED  # nothing is done about it until it can be read
        elif move is Move.AGREED and given is not None:
            last = indexed
        if last is not None:
            now[key] = last
        statuses.append(FieldStatus(run, note_field, note.path, given, indexed, move))
    return RunNote(run, note, tuple(statuses), answers.invalid, answers, now)


def _words(value: object) -> FieldText | None:
    """Read a remembered answer; JSON knows no tuples."""
    if isinstance(value, list | tuple):
        return tuple(str(item) for item in value)
    return value if isinstance(value, str) else None
