"""Whether each bound number still says what its record says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from featherface.errors import ThesisError
from vault_sync.engine.text.properties import value_of
from vault_sync.prose.amounts import read_number, rewrite, write_number
from vault_sync.prose.bindings import REASONS, find_bindings
from vault_sync.prose.references import parse_reference
from vault_sync.prose.values import FormerValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vault_sync.engine.notes import Note
    from vault_sync.prose.amounts import NumberReading
    from vault_sync.prose.bindings import Binding, BindingError, BindingPlace
    from vault_sync.prose.memory import NumberMemory
    from vault_sync.prose.references import MetricReference
    from vault_sync.prose.values import ReferenceValue, ReferenceValues

STATES = {
    "fresh": "the note says what the record says",
    "stale": "the note says what the record said before",
    "hand-edited": "the note says what no record ever said",
    "orphan": "there is no such value: a run, metric or cited result is gone",
    "broken": "the comments around it can't be read",
}
LANGUAGES = ("fr", "en")


@dataclass(frozen=True)
class NumberFinding:
    """One bound number, and what became of it."""

    note: str
    """Path from the vault, with forward slashes."""
    place: BindingPlace
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
    value: ReferenceValue | None = None
    start: int = 0
    """Offset of the text in the note, in bytes."""
    stop: int = 0

    @property
    def where(self) -> str:
        """Return `note:line:column`, as editors take it."""
        return f"{self.note}:{self.place.line}:{self.place.column}"


class NumberChecker:
    """Judges bound numbers against the records of one workspace."""

    def __init__(self, values: ReferenceValues, memory: NumberMemory, language: str) -> None:
        self.values = values
        self.memory = memory
        self.language = language
        self._current_values: dict[str, ReferenceValue | ThesisError] = {}

    def check(self, notes: Iterable[Note]) -> Iterator[NumberFinding]:
        """Yield a finding for each bound number, and for each that is broken."""
        for note in notes:
            bindings = find_bindings(note.data)
            numbers = [self._number(note, binding) for binding in bindings.numbers]
            broken = [_broken(note, fault) for fault in bindings.faults]
            yield from sorted(
                [*numbers, *broken], key=lambda finding: (finding.place.line, finding.place.column)
            )

    def current_value(self, reference: MetricReference) -> ReferenceValue:
        """Return the value of REFERENCE now; raises as `ReferenceValues.now` does."""
        key = str(reference.term)
        if key not in self._current_values:
            try:
                self._current_values[key] = self.values.now(reference.term)
            except ThesisError as error:
                self._current_values[key] = error
        value = self._current_values[key]
        if isinstance(value, ThesisError):
            raise value
        return value

    def language_of(self, note: Note) -> str:
        """Return the language of a note: its `lang` property, else the thesis's."""
        for key in (b"lang", b"language"):
            if key in note.data[:4000]:
                named = (value_of(note.data, key.decode()) or "")[:2].lower()
                if named in LANGUAGES:
                    return named
        return self.language

    def judge(self, text: str, reference: MetricReference, language: str) -> tuple[str, str, str]:
        """Return state, expected text and reason of TEXT as the number of REFERENCE.

        The state is one of STATES; raises as `current_value` does.
        """
        value = self.current_value(reference)
        spec, readings = reference.spec, read_number(text)
        if reading := _matching(readings, value.number, spec):
            return "fresh", rewrite(reading, value.number, spec, language), ""
        if not text.strip():
            return "stale", write_number(value.number, spec, language), "not filled in yet"
        for former in self._formers(reference):
            if old_reading := _matching(readings, former.number, spec):
                why = _moved(former, value)
                return "stale", rewrite(old_reading, value.number, spec, language), why
        why = f"no value that {_subject(reference)} is known to have had"
        old = readings[0] if readings else None
        return "hand-edited", rewrite(old, value.number, spec, language), why

    def _formers(self, reference: MetricReference) -> Iterator[FormerValue]:
        yield from self.values.before(reference.term)
        for number in self.memory.recall(reference):
            yield FormerValue(number, ())

    def _number(self, note: Note, binding: Binding) -> NumberFinding:
        finding = NumberFinding(
            note.path, binding.place, "broken", binding.reference, binding.text,
            start=binding.text_start, stop=binding.text_stop,
        )  # fmt: skip
        try:
            reference = parse_reference(binding.reference)
        except ThesisError as error:
            return replace(finding, reason=error.message, hint=error.hint or "")
        try:
            value = self.current_value(reference)
        except ThesisError as error:
            return replace(finding, state="orphan", reason=error.message, hint=error.hint or "")
        state, expected, reason = self.judge(binding.text, reference, self.language_of(note))
        self.memory.remember(reference, value.number)
        hint = HINTS.get(state, "").format(expected=expected)
        return replace(
            finding, state=state, expected=expected, reason=reason, hint=hint, value=value
        )


HINTS = {
    "stale": "thesis check numbers --fix",
    "hand-edited": "write {expected} there, or remove both comments to keep your own words",
}


def _matching(readings: Iterable[NumberReading], number: float, spec: str) -> NumberReading | None:
    return next((reading for reading in readings if reading.matches(number, spec)), None)


def _broken(note: Note, fault: BindingError) -> NumberFinding:
    return NumberFinding(
        note.path, fault.place, "broken", text=fault.text, reason=REASONS[fault.reason]
    )


def _subject(reference: MetricReference) -> str:
    return str(reference).removesuffix(f" {reference.spec}")


def _moved(former: FormerValue, value: ReferenceValue) -> str:
    """Say why a number that was true is so no longer."""
    if not former.runs or former.runs == value.runs:
        return "the record said so before"
    return f"it was of {' and '.join(former.runs)}; now it is of {' and '.join(value.runs)}"
