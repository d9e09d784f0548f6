"""The fields of a run note: one entry each, from which reading, writing and options follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.records.annotations import OPEN, VERDICTS, read_tags, read_verdict
from featherface.errors import UsageError
from vault_sync.engine.meaning.sameness import same as mean_the_same

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.records.annotations import RunAnnotations
    from experiments.records.run import Run

FieldText = str | tuple[str, ...]
"""The value of a field: a text, or a list of texts."""


def read_text(stated: FieldText) -> str:
    """Take a text as it was written, without white space at its ends.

    Raises:
        UsageError: it is a list, or no text that can be kept.
    """
    if isinstance(stated, tuple):
        raise UsageError("it is a list", "write one text")
    try:
        stated.encode()
    except UnicodeEncodeError as error:
        raise UsageError("it holds half a character", "write it again") from error
    return stated.replace("\r\n", "\n").replace("\r", "\n").strip()


def read_choice(stated: FieldText) -> str:
    """Take the name of a verdict.

    Raises:
        UsageError: there is no such verdict.
    """
    return read_verdict(read_text(stated))


def read_list(stated: FieldText) -> tuple[str, ...]:
    """Take tags: a list, or one text with commas or spaces between them.

    Raises:
        UsageError: one of them can't be a tag.
    """
    items = stated.replace(",", " ").split() if isinstance(stated, str) else stated
    return read_tags(read_text(item) for item in items if item.strip())


@dataclass(frozen=True)
class NoteField:
    """A field of a run note that the student may answer."""

    key: str
    """Its property in the note, or the name in its region's marker."""
    field: str
    """Its name in `Annotations`."""
    read: Callable[[FieldText], FieldText]
    """Checks what the note says, and spells it as it is kept."""
    help: str
    region: bool = False
    """A region of the note's text; else a property."""
    choices: tuple[str, ...] = ()

    @property
    def blank(self) -> FieldText:
        """The answer where there is none."""
        if self.read is read_list:
            return ()
        return OPEN if self.choices else ""

    def start(self, run: Run) -> FieldText:
        """Return what a note says before anyone answered."""
        return run.record.hypothesis.strip() if self.key == "hypothesis" else self.blank

    def indexed(self, run: Run, annotations: RunAnnotations | None = None) -> FieldText:
        """Return the value in ANNOTATIONS (RUN's own where None), else that of a new note."""
        words: FieldText | None = getattr(annotations or run.annotations, self.field)
        return self.start(run) if words is None else words

    def same(self, first: FieldText, second: FieldText) -> bool:
        """Whether two answers say the same; the order of tags and the layout say nothing."""
        if isinstance(first, tuple) and isinstance(second, tuple):
            return set(first) == set(second)
        if self.region and isinstance(first, str) and isinstance(second, str):
            return mean_the_same(first.encode(), second.encode())
        return first == second or (bool(self.choices) and {first, second} <= {"", OPEN})


NOTE_FIELDS = {
    note_field.key: note_field
    for note_field in (
        NoteField("hypothesis", "hypothesis", read_text, "What you expected, and why."),
        NoteField(
            "status",
            "verdict",
            read_choice,
            "What became of the hypothesis.",
            choices=tuple(VERDICTS),
        ),
        NoteField("notes", "note", read_text, "A remark."),
        NoteField("tags", "tags", read_list, "Tags of your own."),
        NoteField("analysis", "analysis", read_text, "What the results mean.", region=True),
        NoteField("next_steps", "next_steps", read_text, "What follows from them.", region=True),
    )
}
"""In the order of the note."""


def blank_properties() -> dict[str, FieldText]:
    """Return the properties of a log of the student's own, of the same types as a run's."""
    return {
        key: note_field.blank for key, note_field in NOTE_FIELDS.items() if not note_field.region
    }


def answers_of(run: Run) -> dict[str, FieldText]:
    """Return what is kept of every answer about RUN."""
    annotations = run.annotations
    return {key: note_field.indexed(run, annotations) for key, note_field in NOTE_FIELDS.items()}
