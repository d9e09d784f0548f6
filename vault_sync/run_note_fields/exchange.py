"""What a sync puts into the notes of the runs, and what it tells about the other way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.engine.plans import FieldUpdates
from vault_sync.engine.text import properties
from vault_sync.run_note_fields.regions import find_regions
from vault_sync.run_note_fields.review import PREFIX, Move, review
from vault_sync.run_note_fields.sheets import read_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.plans import Wanted
    from vault_sync.engine.state import State
    from vault_sync.rendering.context import Sources
    from vault_sync.run_note_fields.review import Page, Standing
    from vault_sync.run_note_fields.table import Words

PULL = "thesis vault pull"


def add_answers(wanted: Wanted, sources: Sources, snapshot: Snapshot, state: State) -> Wanted:
    """Return WANTED with the answers that are newer on the record's side.

    Answers that wait to be taken from the notes, and those that can't be, become warnings.
    """
    found = review(snapshot, sources.runs, state.answers)
    notes = []
    warnings = list(wanted.warnings)
    for note in wanted.notes:
        page = found.by_id.get(note.id)
        if not note.id.startswith(PREFIX):
            notes.append(note)
            continue
        if page is None:
            notes.append(replace(note, updates=FieldUpdates(after=_first(note.skeleton))))
            continue
        updates, blocked = updates_of(page, page.of(Move.TO_NOTE))
        notes.append(replace(note, updates=updates))
        warnings += [*blocked.values(), *_waiting(page)]
    return replace(wanted, notes=tuple(notes), warnings=tuple(warnings))


def updates_of(page: Page, standings: Iterable[Standing]) -> tuple[FieldUpdates, dict[str, str]]:
    """Lay out what STANDINGS put into the note of PAGE; say of each that can't be put there why."""
    taken: list[Standing] = []
    blocked: dict[str, str] = {}
    for one in standings:
        try:
            _check(page, one)
        except RefusedError as error:
            blocked[one.answer.key] = f"{page.note.path}: {error.message}"
        else:
            taken.append(one)
    values, places = _splices(page, taken)
    after = {**page.agreed, **{one.answer.key: one.indexed for one in taken}}
    return FieldUpdates(values, tuple(places), page.agreed, after), blocked


def fill_regions(data: bytes, answers: Mapping[str, Words]) -> bytes:
    """Return a new note with what was answered already in its regions."""
    for name, words in answers.items():
        region = find_regions(data).found.get(name)
        if region is None or not words or not isinstance(words, str):
            continue
        filled = _spliced(data, [region.replacement(words)])
        given = read_sheet(filled).given.get(name)
        data = filled if given is not None and given.words == words else data
    return data


def _first(skeleton: bytes) -> dict[str, Words]:
    """Return what a new note answers, which is what is kept of the run."""
    return {key: one.words for key, one in read_sheet(skeleton).given.items()}


def apply(data: bytes, updates: FieldUpdates) -> bytes:
    """Return the note with EXCHANGE in it.

    Raises:
        RefusedError: a property can't be set without touching others.
    """
    return properties.splice(_spliced(data, updates.places), updates.values)


def _spliced(data: bytes, places: Iterable[tuple[int, int, bytes]]) -> bytes:
    for start, stop, text in sorted(places, reverse=True):
        data = data[:start] + text + data[stop:]
    return data


def _splices(
    page: Page, standings: Iterable[Standing]
) -> tuple[dict[str, properties.Value], list[tuple[int, int, bytes]]]:
    values: dict[str, properties.Value] = {}
    places = []
    for one in standings:
        key, words = one.answer.key, one.indexed
        if not one.answer.region:
            values[key] = _arranged(one) if isinstance(words, tuple) else words
        elif isinstance(words, str):
            places.append(page.sheet.regions[key].replacement(words))
    return values, places


def _arranged(standing: Standing) -> tuple[str, ...]:
    """Return tags in the order of the note, the new ones last."""
    there = standing.given.words if standing.given else ()
    kept = [tag for tag in there if tag in standing.indexed]
    return tuple(dict.fromkeys((*kept, *standing.indexed)))


def _check(page: Page, standing: Standing) -> None:
    """Make sure that an answer, once put into the note, is read there as the same.

    Raises:
        RefusedError: it has no place there, or would be read as something else.
    """
    key = standing.answer.key
    if standing.answer.region and key not in page.sheet.regions:
        raise RefusedError(
            f"there is no place for {key}: put the line <!-- thesis:answer {key} --> under its "
            "heading"
        )
    values, places = _splices(page, [standing])
    there = read_sheet(apply(page.note.data, FieldUpdates(values, tuple(places)))).given.get(key)
    if there is None or not standing.answer.same(there.words, standing.indexed):
        raise RefusedError(
            f"{key} would not be read back as it is, for a heading or a fence in it; "
            "write it into the note by hand"
        )


def _waiting(page: Page) -> Iterator[str]:
    """Tell what only a pull, or the student, can bring together."""
    path = page.note.path
    said = [one.answer.key for one in page.of(Move.TO_INDEX)]
    if said:
        yield f"{path}: {', '.join(said)} changed there; take it over with: {PULL}"
    both = [one.answer.key for one in page.of(Move.CONFLICT)]
    if both:
        yield f"{path}: {', '.join(both)} changed there and elsewhere; see: {PULL}"
    for one in page.invalid:
        yield f"{path}:{one.line}: {one.answer} can't be taken: {one.reason}"
