"""What the note of a run answers, as it stands there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from featherface.errors import RefusedError, UsageError, unknown
from vault_sync.engine.text.properties import read_front_matter, value_in
from vault_sync.run_note_fields.regions import find_regions
from vault_sync.run_note_fields.table import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.engine.text.front_matter import FrontMatter
    from vault_sync.run_note_fields.regions import Region
    from vault_sync.run_note_fields.table import Answer, Words


@dataclass(frozen=True)
class Given:
    """An answer that stands in a note."""

    words: Words
    line: int
    """1-based."""


@dataclass(frozen=True)
class Invalid:
    """An answer that can't be taken."""

    answer: str
    """Its key, or what stands where a key should."""
    line: int
    value: str
    """What stands there, as far as it can be shown."""
    reason: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """The answers of one note; one that is missing there is in neither."""

    given: Mapping[str, Given] = field(default_factory=dict)
    invalid: tuple[Invalid, ...] = ()
    regions: Mapping[str, Region] = field(default_factory=dict)


@lru_cache(maxsize=1024)
def read_sheet(data: bytes) -> Sheet:
    """Read every answer of a note; what can't be one is told, never guessed at."""
    given: dict[str, Given] = {}
    regions, front = find_regions(data), read_front_matter(data)
    named = [region for name, region in regions.found.items() if not _is_region(name)]
    invalid = [Invalid(one.name or "answer", one.line, "", one.reason) for one in regions.broken]
    invalid += [_unknown(region) for region in named]
    for answer in ANSWERS.values():
        try:
            found = _stated(data, front, answer, regions.found.get(answer.key))
        except RefusedError as error:
            invalid.append(_twice(answer, error))
            continue
        if isinstance(found, Invalid):
            invalid.append(found)
        elif found is not None:
            given[answer.key] = found
    kept = {name: region for name, region in regions.found.items() if _is_region(name)}
    return Sheet(given, tuple(sorted(invalid, key=lambda one: one.line)), kept)


def _stated(
    data: bytes, front: FrontMatter | None, answer: Answer, region: Region | None
) -> Given | Invalid | None:
    """Read one answer; None where the note does not hold it.

    Raises:
        RefusedError: its property stands there twice.
    """
    words: Words | None
    if answer.region:
        if region is None:
            return None
        line, words = region.line, _decoded(region.words)
    else:
        stated = value_in(data, front, answer.key) if front else None
        if stated is None:
            return None
        line, words = stated.line, stated.value
    if words is None:
        reason = "it can't be read as a text or a list of texts"
        return Invalid(answer.key, line, "", reason, answer.choices)
    try:
        return Given(answer.read(words), line)
    except UsageError as error:
        reason = f"{error.message} ({error.hint})" if error.hint else error.message
        return Invalid(answer.key, line, shown(words), reason, answer.choices)


def shown(words: Words) -> str:
    """Return an answer on one line, for a message."""
    text = ", ".join(words) if isinstance(words, tuple) else words
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _is_region(name: str) -> bool:
    return name in ANSWERS and ANSWERS[name].region


def _unknown(region: Region) -> Invalid:
    names = tuple(key for key in ANSWERS if _is_region(key))
    return Invalid(region.name, region.line, "", unknown("answer", region.name, names), names)


def _twice(answer: Answer, error: RefusedError) -> Invalid:
    """Word a property that stands there twice; the message begins with its line."""
    place, _, reason = error.message.partition(": ")
    return Invalid(answer.key, int(place.removeprefix("line ")), "", reason, answer.choices)
