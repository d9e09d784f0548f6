"""Open tasks in a vault: unfinished runs, edited blocks, answers to pull, outdated numbers.

Writing the dashboard changes none of them, so that a second sync writes the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault_sync.engine.edits import is_kept
from vault_sync.engine.meaning.sameness import same
from vault_sync.engine.state import Bases
from vault_sync.engine.text.markers import digest
from vault_sync.rendering.markdown import Safe, code
from vault_sync.run_note_fields.review import Move, review

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault_sync.engine.notes import Snapshot
    from vault_sync.engine.text.markers import Block
    from vault_sync.rendering.page import Page

MARK = b"<!--t:"
"""How a number that is bound to its record begins."""
MOST = 20
"""Lines: a vault in which more waits needs `thesis vault status`."""


def waiting(page: Page) -> list[Safe]:
    """Return a line for each thing that waits, the note and the command in it."""
    if page.snapshot is None:
        return []
    lines = [
        *_unfinished(page),
        *_broken(page, page.snapshot),
        *_edited(page, page.snapshot),
        *_answers(page, page.snapshot),
        *_numbers(page, page.snapshot),
        *_copies(page, page.snapshot),
    ]
    if len(lines) <= MOST:
        return lines
    return [*lines[:MOST], page.words.say("waiting.more", n=len(lines) - MOST)]


def _unfinished(page: Page) -> Iterator[Safe]:
    for run in page.sources.runs:
        if run.id in page.sources.unreadable:
            continue
        if run.status in ("interrupted", "failed") and _is_last(page, run.id, run.experiment):
            status = page.words.say(f"status.{run.status}")
            name = Safe(run.experiment)
            yield page.words.say("waiting.run", run=run.id, status=status, experiment=name)


def _is_last(page: Page, run_id: str, experiment: str) -> bool:
    """Whether no later version of the experiment was begun."""
    versions = [run.id for run in page.sources.runs if run.experiment == experiment]
    return versions[-1] == run_id


def _broken(page: Page, snapshot: Snapshot) -> Iterator[Safe]:
    for note in snapshot.notes.values():
        for fault in note.scan.faults[:1]:
            yield page.words.say("waiting.broken", note=code(note.path), line=str(fault.line))


def _edited(page: Page, snapshot: Snapshot) -> Iterator[Safe]:
    """Name the blocks that were edited by hand; this one cannot tell of itself."""
    bases = Bases(page.sources.workspace.state)
    for block_id, places in snapshot.blocks.items():
        note, block = places[0]
        if block_id != page.block_id and not note.scan.faults and is_edited(block, bases):
            place = code(f"{note.path}:{block.line}")
            yield page.words.say("waiting.edited", note=place)


def is_edited(block: Block, bases: Bases) -> bool:
    """Whether a student changed a block's words, not only their layout."""
    if block.sha in (None, digest(block.body)) or not block.body or is_kept(block, bases.find):
        return False
    base = bases.find(block.sha)
    return base is None or not same(base, block.body)


def _answers(page: Page, snapshot: Snapshot) -> Iterator[Safe]:
    answers = page.state.answers if page.state else {}
    for run_note in review(snapshot, page.sources.runs, answers).run_notes:
        moved = [*run_note.of(Move.TO_INDEX), *run_note.of(Move.CONFLICT)]
        if moved or run_note.invalid:
            yield page.words.say("waiting.pull", run=page.run_in_prose(run_note.run))


def _numbers(page: Page, snapshot: Snapshot) -> Iterator[Safe]:
    """Count the numbers in prose that their records no longer say."""
    notes = [note for note in snapshot.notes.values() if MARK in note.data]
    if not notes:
        return
    from vault_sync.prose.checking import NumberChecker  # noqa: PLC0415 - only where there are some
    from vault_sync.prose.memory import NumberMemory  # noqa: PLC0415 - as above
    from vault_sync.prose.values import ReferenceValues  # noqa: PLC0415 - as above

    workspace = page.sources.workspace
    checker = NumberChecker(ReferenceValues(workspace), NumberMemory(workspace), workspace.language)
    wrong = [finding for finding in checker.check(notes) if finding.state != "fresh"]
    if wrong:
        yield page.words.say("waiting.numbers", n=len(wrong))


def _copies(page: Page, snapshot: Snapshot) -> Iterator[Safe]:
    for path in snapshot.copies:
        yield page.words.say("waiting.copy", note=code(path))
