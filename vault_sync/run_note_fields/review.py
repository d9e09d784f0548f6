"""Note and record side by side, each answer against what the two last agreed on."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from featherface.errors import DataError
from vault_sync.rendering.context import run_identity
from vault_sync.run_note_fields.sheets import read_sheet
from vault_sync.run_note_fields.table import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.records.run import Run
    from vault_sync.engine.notes import Note, Snapshot
    from vault_sync.run_note_fields.sheets import Given, Invalid, Sheet
    from vault_sync.run_note_fields.table import Answer, Words

PREFIX = "run/"


class Move(enum.Enum):
    """Where an answer has to go."""

    AGREED = "agreed"
    TO_INDEX = "note"
    """The note says something new."""
    TO_NOTE = "index"
    """What is kept of the run is newer."""
    CONFLICT = "conflict"
    """Both say something new, and not the same."""


def decide(answer: Answer, base: Words, note: Words | None, index: Words) -> Move:
    """Decide over one answer; NOTE is None where the note does not hold it, which says nothing."""
    if note is None:
        return Move.AGREED if answer.same(index, base) else Move.TO_NOTE
    if answer.same(note, index):
        return Move.AGREED
    if answer.same(note, base):
        return Move.TO_NOTE
    return Move.TO_INDEX if answer.same(index, base) else Move.CONFLICT


@dataclass(frozen=True)
class Standing:
    """One answer in the note of one run."""

    run: Run
    answer: Answer
    path: str
    given: Given | None
    """What the note says; None where it does not hold the answer."""
    indexed: Words
    """What is kept of the run."""
    move: Move

    @property
    def line(self) -> int:
        """Return the line in the note; 0 where it is not there."""
        return self.given.line if self.given else 0


@dataclass(frozen=True)
class Page:
    """The note of one run."""

    run: Run
    note: Note
    standings: tuple[Standing, ...]
    invalid: tuple[Invalid, ...]
    sheet: Sheet
    agreed: Mapping[str, Words] = field(default_factory=dict)
    """Answer -> what note and record agree on now, or last did."""

    def of(self, move: Move) -> list[Standing]:
        """Return the answers that MOVE says something of."""
        return [one for one in self.standings if one.move is move]


@dataclass(frozen=True)
class Review:
    """The notes of all runs."""

    pages: tuple[Page, ...] = ()
    doubled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Run -> the notes that all say to be its."""
    orphans: tuple[str, ...] = ()
    """Notes of runs that do not exist."""
    damaged: Mapping[str, str] = field(default_factory=dict)
    """Run -> why what is kept of it can't be read."""

    @cached_property
    def by_id(self) -> dict[str, Page]:
        """Return `thesis_id` -> page."""
        return {run_identity(page.run): page for page in self.pages}


def review(
    snapshot: Snapshot, runs: Iterable[Run], agreed: Mapping[str, Mapping[str, object]]
) -> Review:
    """Look at the note of each of RUNS, found by its `thesis_id` wherever it was moved.

    AGREED holds what was last agreed on, by `thesis_id` and answer; where that was lost, what a
    new note says stands in for it. Conflict copies are no notes of the snapshot.
    """
    known = {run_identity(run): run for run in runs}
    pages, orphans = [], []
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
                pages.append(_page(known[identity], notes[0], agreed.get(identity, {})))
            except DataError as error:
                damaged[known[identity].id] = error.message
    return Review(tuple(pages), doubled, tuple(orphans), damaged)


def _page(run: Run, note: Note, agreed: Mapping[str, object]) -> Page:
    sheet, said = read_sheet(note.data), run.annotations
    refused = {one.answer for one in sheet.invalid}
    standings, now = [], {}
    for key, answer in ANSWERS.items():
        last = _words(agreed.get(key))
        base = answer.start(run) if last is None else last
        given, indexed = sheet.given.get(key), answer.indexed(run, said)
        move = decide(answer, base, given.words if given else None, indexed)
        if key in refused:
            move = Move.AGREED  # nothing is done about it until it can be read
        elif move is Move.AGREED and given is not None:
            last = indexed
        if last is not None:
            now[key] = last
        standings.append(Standing(run, answer, note.path, given, indexed, move))
    return Page(run, note, tuple(standings), sheet.invalid, sheet, now)


def _words(value: object) -> Words | None:
    """Read a remembered answer; JSON knows no tuples."""
    if isinstance(value, list | tuple):
        return tuple(str(one) for one in value)
    return value if isinstance(value, str) else None
