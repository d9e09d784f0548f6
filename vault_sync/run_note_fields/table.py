"""The answers of a run's note: one entry each, from which reading, writing and options follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.records.annotations import OPEN, VERDICTS, read_tags, read_verdict
from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.records.annotations import RunAnnotations
    from experiments.records.run import Run

Words = str | tuple[str, ...]
"""What an answer says: a text, or a list of texts."""


def read_text(stated: Words) -> str:
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


def read_choice(stated: Words) -> str:
    """Take the name of a verdict.

    Raises:
        UsageError: there is no such verdict.
    """
    return read_verdict(read_text(stated))


def read_list(stated: Words) -> tuple[str, ...]:
    """Take tags: a list, or one text with commas or spaces between them.

    Raises:
        UsageError: one of them can't be a tag.
    """
    items = stated.replace(",", " ").split() if isinstance(stated, str) else stated
    return read_tags(read_text(item) for item in items if item.strip())


@dataclass(frozen=True)
class Answer:
    """One thing that a student may say of a run."""

    key: str
    """Its property in the note, or the name in its region's marker."""
    field: str
    """Its name in `Annotations`."""
    read: Callable[[Words], Words]
    """Checks what the note says, and spells it as it is kept."""
    help: str
    region: bool = False
    """A region of the note's text; else a property."""
    choices: tuple[str, ...] = ()

    @property
    def blank(self) -> Words:
        """The answer where there is none."""
        if self.read is read_list:
            return ()
        return OPEN if self.choices else ""

    def start(self, run: Run) -> Words:
        """Return what a note says before anyone answered."""
        return run.record.hypothesis.strip() if self.key == "hypothesis" else self.blank

    def indexed(self, run: Run, said: RunAnnotations | None = None) -> Words:
        """Return what is kept of the run; SAID are its annotations where they were read already."""
        words: Words | None = getattr(said or run.annotations, self.field)
        return self.start(run) if words is None else words

    def same(self, one: Words, other: Words) -> bool:
        """Whether two answers say the same; the order of tags says nothing."""
        if isinstance(one, tuple) and isinstance(other, tuple):
            return set(one) == set(other)
        return one == other or (bool(self.choices) and {one, other} <= {"", OPEN})


ANSWERS = {
    answer.key: answer
    for answer in (
        Answer("hypothesis", "hypothesis", read_text, "What you expected, and why."),
        Answer(
            "status",
            "verdict",
            read_choice,
            "What became of the hypothesis.",
            choices=tuple(VERDICTS),
        ),
        Answer("notes", "note", read_text, "A remark."),
        Answer("tags", "tags", read_list, "Tags of your own."),
        Answer("analysis", "analysis", read_text, "What the results mean.", region=True),
        Answer("next_steps", "next_steps", read_text, "What follows from them.", region=True),
    )
}
"""In the order of the note."""


def blank_properties() -> dict[str, Words]:
    """Return the properties of a log of the student's own, of the same types as a run's."""
    return {key: answer.blank for key, answer in ANSWERS.items() if not answer.region}


def answers_of(run: Run) -> dict[str, Words]:
    """Return what is kept of every answer about RUN."""
    said = run.annotations
    return {key: answer.indexed(run, said) for key, answer in ANSWERS.items()}
