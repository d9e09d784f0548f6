"""Plain numbers that equal a value of a run or a cited result, and how to bind them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from experiments.metrics import KINDS, kind
from experiments.wording.numbers import shown
from featherface.errors import ThesisError
from vault_sync.prose.amounts import rewrite
from vault_sync.prose.bindings import LineIndex
from vault_sync.prose.plain import find_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from decimal import Decimal

    from experiments.records.run import Run
    from vault_sync.engine.notes import Note
    from vault_sync.prose.amounts import NumberReading
    from vault_sync.prose.bindings import BindingPlace
    from vault_sync.prose.checking import NumberChecker
    from vault_sync.prose.plain import PlainNumber
    from vault_sync.prose.values import ReferenceValues

MOST_PLACES = 5
"""Decimals beyond which no plain number is looked for."""
SMALLEST_COUNT = 10_000
"""Parameters below this are not looked for: such numbers are years, pages, pictures."""


@dataclass(frozen=True)
class Suggestion:
    """A plain number that could be bound."""

    note: str
    place: BindingPlace
    text: str
    state: str
    """`superseded` where only an earlier version had this value, else `current`."""
    references: tuple[str, ...]
    """With their formats, the likeliest first."""
    expected: str
    """As the likeliest is written now."""
    source: str
    """The run or publication that has or had this value."""

    @property
    def where(self) -> str:
        """Return `note:line:column`, as editors take it."""
        return f"{self.note}:{self.place.line}:{self.place.column}"

    @property
    def command(self) -> str:
        """The command that binds it."""
        update = " --update" if self.state == "superseded" else ""
        text = " ".join(self.text.split())
        return f'thesis check bind{update} "{self.where}" "{text}" {self.references[0]}'


@dataclass(frozen=True)
class KnownValue:
    """A value that a plain number may stand for."""

    selector: str
    metric: str
    value: float
    now: float
    """What SELECTOR's metric is worth; another where VALUE is superseded."""
    source: str

    @property
    def current(self) -> bool:
        """Whether the value still holds."""
        return self.value == self.now


class Suggester:
    """Recognises the values of one workspace."""

    def __init__(self, values: ReferenceValues, checker: NumberChecker) -> None:
        self.values = values
        self.checker = checker
        self._tables: dict[tuple[str, str], dict[Decimal, list[KnownValue]]] = {}

    def suggest(self, notes: Iterable[Note], *, current: bool = True) -> Iterator[Suggestion]:
        """Yield plain numbers that could be bound; without CURRENT superseded ones alone."""
        digits = self._digits(current=current)
        for note in notes if digits else ():
            lines = LineIndex(note.data)
            for plain in find_numbers(note.data, digits):
                suggestion = self._recognise(note, plain, lines)
                if suggestion is not None and (current or suggestion.state != "current"):
                    yield suggestion

    def _recognise(self, note: Note, plain: PlainNumber, lines: LineIndex) -> Suggestion | None:
        for reading in plain.readings:
            unit, spec = read_kind(reading)
            known = self._table(unit, spec).get(reading.value) if spec else None
            if known:
                best = sorted(known, key=lambda candidate: not candidate.current)
                same = [candidate for candidate in best if candidate.current == best[0].current]
                return Suggestion(
                    note=note.path,
                    place=lines.place(plain.start),
                    text=plain.text,
                    state="current" if same[0].current else "superseded",
                    references=tuple(
                        dict.fromkeys(
                            f"{candidate.selector} {candidate.metric} {spec}" for candidate in same
                        )
                    ),
                    expected=rewrite(reading, same[0].now, spec, self.checker.language_of(note)),
                    source=same[0].source,
                )
        return None

    def _table(self, unit: str, spec: str) -> dict[Decimal, list[KnownValue]]:
        """Return what values of UNIT look like when they are written by SPEC."""
        if (unit, spec) not in self._tables:
            table: dict[Decimal, list[KnownValue]] = {}
            for candidate in self._known.get(unit, []):
                table.setdefault(shown(candidate.value, spec), []).append(candidate)
            for printed, known in table.items():  # the same to the places shown is not superseded
                table[printed] = [
                    replace(candidate, now=candidate.value)
                    if shown(candidate.now, spec) == printed
                    else candidate
                    for candidate in known
                ]
            self._tables[unit, spec] = table
        return self._tables[unit, spec]

    @cached_property
    def _known(self) -> dict[str, list[KnownValue]]:
        """Return unit -> all known values, measured ones first."""
        by_unit: dict[str, list[KnownValue]] = {}
        order = {name: place for place, name in enumerate(KINDS)}
        known = [*self._measured(), *self._stated()]
        known.sort(
            key=lambda candidate: (
                ":" in candidate.selector,
                order.get(candidate.metric, len(order)),
            )
        )
        for candidate in known:
            by_unit.setdefault(kind(candidate.metric).unit, []).append(candidate)
        return by_unit

    def _digits(self, *, current: bool) -> frozenset[bytes]:
        """Return the bare digits of known values in all formats: most numbers have others."""
        digits = {
            re.sub(r"\D", "", str(shown(candidate.value, spec.format(places=places))))
            for unit, known in self._known.items()
            for spec in {spec for *_, metric_unit, spec in WRITTEN if metric_unit == unit}
            for candidate in known
            if current or not candidate.current
            for places in range(MOST_PLACES + 1)
        }
        digits |= {
            re.sub(r"\D", "", f"{candidate.value:.{places}e}".partition("e")[0])
            for candidate in self._known.get("", ())
            if current or not candidate.current
            for places in range(1, MOST_PLACES + 1)
        }
        return frozenset(text.encode() for text in digits)

    def _measured(self) -> Iterator[KnownValue]:
        store = self.values.store
        for experiment in store.experiments():
            runs = [run for run in store.runs(experiment) if run.sealed]
            try:
                best = self.values.run(f"{experiment}@best")
                latest = self.values.run(experiment)
            except ThesisError:
                continue
            for run in runs:
                yield from self._of_run(run, best, latest)

    def _of_run(self, run: Run, best: Run, latest: Run) -> Iterator[KnownValue]:
        """Yield what one run measured; a run that is neither best nor latest is superseded."""
        try:
            if self.values.store.problems(run):
                return
            metrics = run.metrics
        except ThesisError:
            return
        for metric in metrics:
            holder = latest if run == latest and run != best else best
            now = holder.metric(metric.name)
            if now is not None:
                selector = run.experiment if holder != best else f"{run.experiment}@best"
                yield KnownValue(selector, metric.name, metric.value, now.value, run.id)

    def _stated(self) -> Iterator[KnownValue]:
        for name, result in self.values.workspace.cited.items():
            for metric in result.metrics:
                selector = f"{metric.evidence}:{name}"
                yield KnownValue(selector, metric.name, metric.value, metric.value, name)


def read_kind(reading: NumberReading) -> tuple[str, str]:
    """Return the unit of metrics that READING may stand for and how it is written; else empty."""
    if reading.sign:
        return "", ""
    if not reading.plain:
        telling = reading.places >= 1 and not reading.unit
        return ("", f".{reading.places}e") if telling else ("", "")
    digits = len(f"{abs(reading.value):.{reading.places}f}".replace(".", "").lstrip("0"))
    for unit, is_likely, metric_unit, spec in WRITTEN:
        if reading.unit == unit and is_likely(reading.value, reading.places, digits):
            return metric_unit, spec.format(places=reading.places)
    return "", ""


WRITTEN: tuple[tuple[str, Callable[[Decimal, int, int], bool], str, str], ...] = (
    ("%", lambda _, places, __: places >= 1, "fraction", ".{places}%"),
    ("", lambda value, places, _: places >= 3 and value < 1, "fraction", ".{places}f"),
    ("", lambda value, places, _: not places and value >= SMALLEST_COUNT, "parameters", ","),
    ("K", lambda _, __, digits: digits >= 3, "parameters", ".{places}K"),
    ("M", lambda _, places, digits: places >= 2 and digits >= 2, "parameters", ".{places}M"),
    ("G", lambda _, places, __: places >= 2, "MACs", ".{places}G"),
    ("ms", lambda _, places, __: places >= 1, "ms", ".{places}f"),
    ("MB", lambda _, places, __: places >= 1, "MB", ".{places}f"),
)
"""Unit in the text; what value, decimals and digits must be; unit of the metric; format.

Numbers that could be anything (few digits, no unit) stand for nothing.
"""
