"""What a sync puts into the run notes, and its warnings about answers that wait for a pull."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.engine.plans import FieldUpdates
from vault_sync.engine.text import properties
from vault_sync.run_note_fields.regions import find_regions
from vault_sync.run_note_fields.review import PREFIX, Move, review
from vault_sync.run_note_fields.sheets import read_answers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.plans import Wanted
    from vault_sync.engine.state import State
    from vault_sync.rendering.sources import Sources
    from vault_sync.run_note_fields.review import FieldStatus, RunNote
    from vault_sync.run_note_fields.table import FieldText

PULL = "thesis vault pull"


def add_answers(wanted: Wanted, sources: Sources, snapshot: Snapshot, state: State) -> Wanted:
    """Return WANTED with the answers that are newer on the record's side.

    Answers that wait to be taken from the notes, and those that can't be, become warnings.
    """
    reviewed = review(snapshot, sources.runs, state.answers)
    notes = []
    warnings = list(wanted.warnings)
    for note in wanted.notes:
        run_note = reviewed.by_id.get(note.id)
        if not note.id.startswith(PREFIX):
            notes.append(note)
            continue
        if run_note is None:
            notes.append(replace(note, updates=FieldUpdates(after=_first(note.skeleton))))
            continue
        updates, blocked = updates_of(run_note, run_note.of(Move.TO_NOTE))
        notes.append(replace(note, updates=updates))
        warnings += [*blocked.values(), *_waiting(run_note)]
    return replace(wanted, notes=tuple(notes), warnings=tuple(warnings))


def updates_of(
    run_note: RunNote, statuses: Iterable[FieldStatus]
) -> tuple[FieldUpdates, dict[str, str]]:
    """Return what STATUSES put into RUN_NOTE, and for each that can't be put there, key -> why."""
    applicable: list[FieldStatus] = []
    blocked: dict[str, str] = {}
    for status in statuses:
        try:
            _check(run_note, status)
        except RefusedError as error:
            blocked[status.note_field.key] = f"{run_note.note.path}: {error.message}"
        else:
            applicable.append(status)
    values, splices = _splices(run_note, applicable)
    after = {**run_note.agreed, **{status.note_field.key: status.indexed for status in applicable}}
    return FieldUpdates(values, tuple(splices), run_note.agreed, after), blocked


def fill_regions(data: bytes, answers: Mapping[str, FieldText]) -> bytes:
    """Return a new note with what was answered already in its regions."""
    for name, words in answers.items():
        region = find_regions(data).by_name.get(name)
        if region is None or not words or not isinstance(words, str):
            continue
        filled = _spliced(data, [region.replacement(words)])
        answer = read_answers(filled).given.get(name)
        data = filled if answer is not None and answer.words == words else data
    return data


def _first(skeleton: bytes) -> dict[str, FieldText]:
    """Return the answers of a new note: those that are kept of the run."""
    return {key: given.words for key, given in read_answers(skeleton).given.items()}


def apply(data: bytes, updates: FieldUpdates) -> bytes:
    """Return the note DATA with UPDATES in it.

    Raises:
        RefusedError: a property can't be set without touching others.
    """
    return properties.splice(_spliced(data, updates.splices), updates.values)


def _spliced(data: bytes, splices: Iterable[tuple[int, int, bytes]]) -> bytes:
    for start, stop, text in sorted(splices, reverse=True):
        data = data[:start] + text + data[stop:]
    return data


def _splices(
    run_note: RunNote, statuses: Iterable[FieldStatus]
) -> tuple[dict[str, properties.Value], list[tuple[int, int, bytes]]]:
    values: dict[str, properties.Value] = {}
    splices = []
    for status in statuses:
        key, words = status.note_field.key, status.indexed
        if not status.note_field.region:
            values[key] = _arranged(status) if isinstance(words, tuple) else words
        elif isinstance(words, str):
            splices.append(run_note.answers.regions[key].replacement(words))
    return values, splices


def _arranged(status: FieldStatus) -> tuple[str, ...]:
    """Return tags in the order of the note, the new ones last."""
    there = status.given.words if status.given else ()
    remaining = [tag for tag in there if tag in status.indexed]
    return tuple(dict.fromkeys((*remaining, *status.indexed)))


def _check(run_note: RunNote, status: FieldStatus) -> None:
    """Make sure that an answer, once put into the note, is read there as the same.

    Raises:
        RefusedError: it has no place there, or would be read as something else.
    """
    key = status.note_field.key
    if status.note_field.region and key not in run_note.answers.regions:
        raise RefusedError(
            f"there is no place for {key}: put the line <!-- thesis:answer {key} --> under its "
            "heading"
        )
    values, splices = _splices(run_note, [status])
    there = read_answers(apply(run_note.note.data, FieldUpdates(values, tuple(splices)))).given.get(
        key
    )
    if there is None or not status.note_field.same(there.words, status.indexed):
        raise RefusedError(
            f"{key} would not be read back as it is, for a heading or a fence in it; "
            "write it into the note by hand"
        )


def _waiting(run_note: RunNote) -> Iterator[str]:
    """Yield warnings about answers that only a pull, or the student, can bring together."""
    path = run_note.note.path
    changed = [status.note_field.key for status in run_note.of(Move.TO_INDEX)]
    if changed:
        yield f"{path}: {', '.join(changed)} changed there; take it over with: {PULL}"
    both = [status.note_field.key for status in run_note.of(Move.CONFLICT)]
    if both:
        yield f"{path}: {', '.join(both)} changed there and elsewhere; see: {PULL}"
    for invalid in run_note.invalid:
        yield f"{path}:{invalid.line}: {invalid.answer} can't be taken: {invalid.reason}"
