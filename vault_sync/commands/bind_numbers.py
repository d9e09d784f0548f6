"""Bind one number of a note to its record, or quote a metric as a bound number to paste."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import NotFoundError, RefusedError, UsageError
from vault_sync.commands.fix_numbers import wrap, write_all
from vault_sync.prose.amounts import write_number
from vault_sync.prose.bindings import BindingPlace, place_of
from vault_sync.prose.choice import choose_note, split_place
from vault_sync.prose.plain import find_text
from vault_sync.prose.references import parse_reference
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vault_sync.commands.check_numbers import ProseNumbers
    from vault_sync.engine.notes import Note
    from vault_sync.engine.plans import Write
    from vault_sync.prose.references import MetricReference
    from vault_sync.prose.values import ReferenceValue


@dataclass(frozen=True)
class Snippet:
    """A bound number, ready to be pasted."""

    reference: str
    """With its format."""
    text: str
    value: ReferenceValue
    unit: str = ""
    """What is written after it: a unit that its format does not write."""

    def __str__(self) -> str:
        return f"<!--t:{self.reference}-->{self.text}<!--/t-->{self.unit}"


@dataclass(frozen=True)
class BoundNumber:
    """A number of a note that was bound to its record."""

    note: str
    place: BindingPlace
    snippet: Snippet
    before: str
    """The text that stood there."""


def quote(prose: ProseNumbers, text: str) -> Snippet:
    """Return the value of the reference TEXT, written in the thesis's language, ready to paste.

    Example: ``quote(prose, "v2@best widerface.hard.ap")`` is, as text,
    ``<!--t:v2@best widerface.hard.ap .1%-->83.1%<!--/t-->``.

    Raises:
        UsageError: the reference can't be read.
        NotFoundError: there is no such run, metric or cited result.
        RefusedError: the record can't be relied on.
    """
    reference = parse_reference(text)
    value = prose.checker.current_value(reference)
    return _snippet(reference, value, prose.workspace.language)


def bind(
    prose: ProseNumbers, where: str, text: str, reference: str, *, update: bool = False
) -> BoundNumber:
    """Bind the one occurrence of TEXT at WHERE (`note.md`, `note.md:12` or `note.md:12:5`).

    With UPDATE the number is written as its record has it; without, it must say so already.

    Raises:
        NotFoundError: there is no such note, or TEXT is not in its prose there.
        UsageError: the reference can't be read, or TEXT stands there several times.
        RefusedError: TEXT is another number, or the note can't be written.
    """
    parsed = parse_reference(reference)
    value = prose.checker.current_value(parsed)
    path, line, column = split_place(where)
    note = choose_note(prose.snapshot, prose.vault, path)
    state, expected, _ = prose.checker.judge(text, parsed, prose.checker.language_of(note))
    if state != "fresh" and not update:
        raise RefusedError(
            f"{text!r} is not what {parsed} says: {expected}",
            f"correct the reference, or add --update to write {expected}",
        )
    bound: list[BoundNumber] = []

    def plan(paths: Sequence[str] | None) -> Mapping[str, Write]:
        current = note if paths is None else choose_note(prose.reread(), prose.vault, note.path)
        start, stop = _only(current, text, line, column)
        before = current.data[start:stop].decode("utf-8", "replace")
        written = expected if update and state != "fresh" else before
        snippet = Snippet(parsed.full, written, value)
        bound[:] = [BoundNumber(current.path, place_of(current.data, start), snippet, before)]
        return {current.path: wrap(current, start, stop, snippet.reference, written)}

    fixed = write_all(prose.workspace, prose.vault, plan, "check bind")
    if fixed.problem:
        raise fixed.problem
    prose.memory.remember(parsed, value.number)
    prose.memory.save()
    return bound[0]


def _only(note: Note, text: str, line: int | None, column: int | None) -> tuple[int, int]:
    """Return where TEXT stands, if that is one place."""
    occurrences = [
        (place_of(note.data, start), start, stop) for start, stop in find_text(note.data, text)
    ]
    here = [occurrence for occurrence in occurrences if line in (None, occurrence[0].line)]
    here = [occurrence for occurrence in here if column in (None, occurrence[0].column)] or here
    where = note.path + (f", line {line}" if line else "")
    if not here:
        hint = "code, links, formulas, generated blocks and bound numbers are left out"
        if occurrences:
            lines = ", ".join(str(occurrence[0].line) for occurrence in occurrences[:9])
            hint = f"it stands in line {lines}"
        raise NotFoundError(f"{text!r} does not stand in the prose of {where}", hint)
    if len(here) > 1:
        places = ", ".join(
            f"{occurrence[0].line}:{occurrence[0].column}" for occurrence in here[:9]
        )
        raise UsageError(
            f"{text!r} stands {len(here)} times in {where}: {places}",
            f'name one of them: thesis check bind "{note.path}:{here[0][0].line}:'
            f'{here[0][0].column}" …',
        )
    return here[0][1], here[0][2]


def _snippet(reference: MetricReference, value: ReferenceValue, language: str) -> Snippet:
    unit = ""
    if value.unit in ("ms", "MB") and reference.spec[-1:] in "fgd":
        unit = f"\u00a0{Words(language).name('unit', value.unit)}"
    text = write_number(value.number, reference.spec, language)
    return Snippet(reference.full, text, value, unit)
