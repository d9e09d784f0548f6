"""Read the answers of a run note from its properties and its regions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from featherface.errors import RefusedError, UsageError, unknown
from vault_sync.engine.text.front_matter import read_front_matter
from vault_sync.engine.text.properties import value_in
from vault_sync.run_note_fields.regions import find_regions
from vault_sync.run_note_fields.table import NOTE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.engine.text.front_matter import FrontMatter
    from vault_sync.run_note_fields.regions import Region
    from vault_sync.run_note_fields.table import FieldText, NoteField


@dataclass(frozen=True)
class GivenAnswer:
    """A valid answer that stands in a note."""

    words: FieldText
    line: int
    """1-based."""


@dataclass(frozen=True)
class InvalidAnswer:
    """An answer that can't be taken."""

    answer: str
    """Its key, or what stands where a key should."""
    line: int
    value: str
    """What stands there, as far as it can be shown."""
    reason: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class NoteAnswers:
    """The answers of one note, by field key; a field that is missing there is in none of them."""

    given: Mapping[str, GivenAnswer] = field(default_factory=dict)
    invalid: tuple[InvalidAnswer, ...] = ()
    regions: Mapping[str, Region] = field(default_factory=dict)


@lru_cache(maxsize=1024)
def read_answers(data: bytes) -> NoteAnswers:
    """Read every answer of a note; what can't be one is listed as invalid, never guessed at.

    Example: with ``status: partielle`` in its properties, ``read_answers(data).given["status"]``
    holds the words ``partial``.
    """
    given: dict[str, GivenAnswer] = {}
    regions, front = find_regions(data), read_front_matter(data)
    named = [region for name, region in regions.by_name.items() if not _is_region(name)]
    invalid = [
        InvalidAnswer(marker.name or "answer", marker.line, "", marker.reason)
        for marker in regions.broken
    ]
    invalid += [_unknown(region) for region in named]
    for note_field in NOTE_FIELDS.values():
        try:
            answer = _read_answer(data, front, note_field, regions.by_name.get(note_field.key))
        except RefusedError as error:
            invalid.append(_twice(note_field, error))
            continue
        if isinstance(answer, InvalidAnswer):
            invalid.append(answer)
        elif answer is not None:
            given[note_field.key] = answer
    answer_regions = {name: region for name, region in regions.by_name.items() if _is_region(name)}
    return NoteAnswers(
        given, tuple(sorted(invalid, key=lambda note_field: note_field.line)), answer_regions
    )


def _read_answer(
    data: bytes, front: FrontMatter | None, note_field: NoteField, region: Region | None
) -> GivenAnswer | InvalidAnswer | None:
    """Read one answer; None where the note does not hold it.

    Raises:
        RefusedError: its property stands there twice.
    """
    words: FieldText | None
    if note_field.region:
        if region is None:
            return None
        line, words = region.line, _decoded(region.words)
    else:
        stated = value_in(data, front, note_field.key) if front else None
        if stated is None:
            return None
        line, words = stated.line, stated.value
    if words is None:
        reason = "it can't be read as a text or a list of texts"
        return InvalidAnswer(note_field.key, line, "", reason, note_field.choices)
    try:
        return GivenAnswer(note_field.read(words), line)
    except UsageError as error:
        reason = f"{error.message} ({error.hint})" if error.hint else error.message
        return InvalidAnswer(note_field.key, line, one_line(words), reason, note_field.choices)


def one_line(words: FieldText) -> str:
    """Return the answer WORDS on one line, for a message; tags with commas between them."""
    text = ", ".join(words) if isinstance(words, tuple) else words
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _is_region(name: str) -> bool:
    return name in NOTE_FIELDS and NOTE_FIELDS[name].region


def _unknown(region: Region) -> InvalidAnswer:
    names = tuple(key for key in NOTE_FIELDS if _is_region(key))
    return InvalidAnswer(region.name, region.line, "", unknown("answer", region.name, names), names)


def _twice(note_field: NoteField, error: RefusedError) -> InvalidAnswer:
    """Word a property that stands there twice; the message begins with its line."""
    place, _, reason = error.message.partition(": ")
    return InvalidAnswer(
        note_field.key, int(place.removeprefix("line ")), "", reason, note_field.choices
    )
