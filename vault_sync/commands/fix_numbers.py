"""Bring bound numbers up to date, and bind plain ones; all else in a note keeps its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.commands.writing import write_notes
from vault_sync.engine.plans import Write
from vault_sync.prose.bindings import END, find_bindings
from vault_sync.prose.line_starts import GUARD, guard, opens_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.engine.notes import Note
    from vault_sync.prose.checking import NumberFinding

ATTEMPTS = 3
"""How often a note is read again that somebody saves meanwhile."""


@dataclass
class FixReport:
    """What came of writing numbers into notes."""

    written: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """`note: why`, for each that could not be written."""

    @property
    def problem(self) -> RefusedError | None:
        """The error that tells of what could not be written; None where all was."""
        if not self.refused:
            return None
        hint = "make those notes writable, then: thesis check numbers --fix"
        return RefusedError("\n  ".join(self.refused), hint)


def rewrite_numbers(note: Note, findings: Iterable[NumberFinding]) -> Write | None:
    """Plan NOTE with the text of each finding as it is expected; None where nothing differs.

    Comments that make HTML of their line are put right as well.
    """
    data = note.data
    for finding in sorted(findings, key=lambda finding: finding.start, reverse=True):
        data = data[: finding.start] + finding.expected.encode() + data[finding.stop :]
    data = guard(data)
    return None if data == note.data else Write(note.path, note.data, data)


def wrap(note: Note, start: int, stop: int, reference: str, text: str) -> Write:
    """Plan NOTE with the number between two offsets bound, and worded TEXT.

    At the start of a line something stands before the comment, lest the line become HTML.

    Raises:
        RefusedError: comments there would not be read back as one bound number.
    """
    opening = f"<!--t:{reference}-->".encode()
    lead = GUARD if opens_line(note.data, start) else b""
    data = note.data[:start] + lead + opening + text.encode() + END + note.data[stop:]
    before, after = find_bindings(note.data), find_bindings(data)
    bound = [
        (binding.reference, binding.text)
        for binding in after.numbers
        if binding.start == start + len(lead)
    ]
    if bound != [(reference, text)] or len(after.faults) > len(before.faults):
        raise RefusedError(
            f"{note.path}: a number can't be bound there", "move it out of the code or comment"
        )
    return Write(note.path, note.data, data)


def write_all(
    workspace: Workspace,
    vault: Path,
    plan: Callable[[Sequence[str] | None], Mapping[str, Write]],
    what: str,
) -> FixReport:
    """Write what PLAN says, and plan again for notes that somebody saved meanwhile.

    PLAN gets the paths to look at (None: all) and returns path -> write; WHAT names the command,
    for `thesis vault undo --list`.
    """
    fixed = FixReport()
    paths: Sequence[str] | None = None
    for _ in range(ATTEMPTS):
        writes = plan(paths)
        if not writes:
            return fixed
        outcome = write_notes(workspace, vault, list(writes.values()), what)
        fixed.written += outcome.written
        fixed.refused += [str(trouble) for trouble in outcome.refused]
        if not outcome.changed:
            return fixed
        paths = list(outcome.changed)
    fixed.refused += [f"{path}: it is being saved by another program" for path in paths or ()]
    return fixed
