"""Whether each bound number still says what its record says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from featherface.errors import ThesisError
from vault_sync.engine.text.properties import value_of
from vault_sync.prose.amounts import read_amounts, rewrite, write_amount
from vault_sync.prose.bindings import REASONS, find_bindings
from vault_sync.prose.references import parse_reference
from vault_sync.prose.values import Former

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vault_sync.engine.notes import Note
    from vault_sync.prose.amounts import Amount
    from vault_sync.prose.bindings import Binding, Fault, Place
    from vault_sync.prose.memory import Memory
    from vault_sync.prose.references import Reference
    from vault_sync.prose.values import Value, Values

STATES = {
    "fresh": "the note says what the record says",
    "stale": "the note says what the record said before",
    "hand-edited": "the note says what no record ever said",
    "orphan": "there is no such value: a run, metric or cited result is gone",
    "broken": "the comments around it can't be read",
}
LANGUAGES = ("fr", "en")


@dataclass(frozen=True)
class Finding:
    """One bound number, and what became of it."""

    note: str
    """Path from the vault, with forward slashes."""
    place: Place
    state: str
    """One of STATES."""
    reference: str = ""
    text: str = ""
    """As the note has it."""
    expected: str = ""
    """As it would be written now, in the manner of the text; empty where there is no value."""
    reason: str = ""
    """Why it is not fresh."""
    hint: str = ""
    """What to do about it."""
    value: Value | None = None
    start: int = 0
    """Offset of the text in the note, in bytes."""
    stop: int = 0

    @property
    def where(self) -> str:
        """Return `note:line:column`, as editors take it."""
        return f"{self.note}:{self.place.line}:{self.place.column}"


class Checker:
    """Judges bound numbers against the records of one workspace."""

    def __init__(self, values: Values, memory: Memory, language: str) -> None:
        self.values = values
        self.memory = memory
        self.language = language
        self._worth: dict[str, Value | ThesisError] = {}

    def check(self, notes: Iterable[Note]) -> Iterator[Finding]:
        """Yield a finding for each bound number, and for each that is broken."""
        for note in notes:
            found = find_bindings(note.data)
            numbers = [self._number(note, one) for one in found.numbers]
            broken = [_broken(note, one) for one in found.faults]
            yield from sorted(
                [*numbers, *broken], key=lambda one: (one.place.line, one.place.column)
            )

    def worth(self, reference: Reference) -> Value:
        """Return what REFERENCE is worth now; raises as `Values.now` does."""
        key = str(reference.term)
        if key not in self._worth:
            try:
                self._worth[key] = self.values.now(reference.term)
            except ThesisError as error:
                self._worth[key] = error
        found = self._worth[key]
        if isinstance(found, ThesisError):
            raise found
        return found

    def language_of(self, note: Note) -> str:
        """Return the language of a note: its `lang` property, else the thesis's."""
        for key in (b"lang", b"language"):
            if key in note.data[:4000]:
                named = (value_of(note.data, key.decode()) or "")[:2].lower()
                if named in LANGUAGES:
                    return named
        return self.language

    def judge(self, text: str, reference: Reference, language: str) -> tuple[str, str, str]:
        """Return state, wording and reason of TEXT as REFERENCE's number; raises as `worth`."""
        value = self.worth(reference)
        spec, amounts = reference.spec, read_amounts(text)
        if right := _telling(amounts, value.number, spec):
            return "fresh", rewrite(right, value.number, spec, language), ""
        if not text.strip():
            return "stale", write_amount(value.number, spec, language), "not filled in yet"
        for former in self._formers(reference):
            if told := _telling(amounts, former.number, spec):
                why = _moved(former, value)
                return "stale", rewrite(told, value.number, spec, language), why
        why = f"no value that {_subject(reference)} is known to have had"
        old = amounts[0] if amounts else None
        return "hand-edited", rewrite(old, value.number, spec, language), why

    def _formers(self, reference: Reference) -> Iterator[Former]:
        yield from self.values.before(reference.term)
        for number in self.memory.recall(reference):
            yield Former(number, ())

    def _number(self, note: Note, one: Binding) -> Finding:
        found = Finding(
            note.path, one.place, "broken", one.reference, one.text,
            start=one.text_start, stop=one.text_stop,
        )  # fmt: skip
        try:
            reference = parse_reference(one.reference)
        except ThesisError as error:
            return replace(found, reason=error.message, hint=error.hint or "")
        try:
            value = self.worth(reference)
        except ThesisError as error:
            return replace(found, state="orphan", reason=error.message, hint=error.hint or "")
        state, expected, reason = self.judge(one.text, reference, self.language_of(note))
        self.memory.note(reference, value.number)
        hint = HINTS.get(state, "").format(expected=expected)
        return replace(found, state=state, expected=expected, reason=reason, hint=hint, value=value)


HINTS = {
    "stale": "thesis check numbers --fix",
    "hand-edited": "write {expected} there, or remove both comments to keep your own words",
}


def _telling(amounts: Iterable[Amount], number: float, spec: str) -> Amount | None:
    return next((one for one in amounts if one.tells(number, spec)), None)


def _broken(note: Note, fault: Fault) -> Finding:
    return Finding(note.path, fault.place, "broken", text=fault.text, reason=REASONS[fault.reason])


def _subject(reference: Reference) -> str:
    return str(reference).removesuffix(f" {reference.spec}")


def _moved(former: Former, value: Value) -> str:
    """Say why a number that was true is so no longer."""
    if not former.runs or former.runs == value.runs:
        return "the record said so before"
    return f"it was of {' and '.join(former.runs)}; now it is of {' and '.join(value.runs)}"
