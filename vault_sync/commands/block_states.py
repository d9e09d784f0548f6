"""What a vault shows that is not what the records say: edited blocks, and what a sync would write.

A file of the tool's own (a picture, a base, a canvas) and a property that it keeps count as blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.commands.dry_run import survey_vault
from vault_sync.engine.meaning.sameness import same
from vault_sync.engine.owned_files import property_key, stays_deleted
from vault_sync.engine.plans import Options
from vault_sync.engine.state import FOREVER
from vault_sync.engine.text.markers import scan
from vault_sync.prose.unbacked import find_results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from vault_sync.commands.dry_run import Survey
    from vault_sync.engine.notes import Note
    from vault_sync.engine.plans import Write

DASHBOARD = "chapter/dashboard"
EDITED, PENDING = "edited block", "pending"
KINDS = {
    EDITED: "somebody wrote into it, so that it says what no record says",
    PENDING: "the records say something else by now",
}


@dataclass(frozen=True)
class BlockFinding:
    """A generated block that does not say what the records say."""

    note: str
    """Path from the vault."""
    line: int
    """1-based; 0 where no line is meant."""
    kind: str
    """One of KINDS."""
    address: str
    """`NOTE#BLOCK`, `NOTE#property` or a file, as `thesis vault take` has it."""
    reason: str
    next: str
    """The command to type."""

    @property
    def where(self) -> str:
        """Return `note:line`, as editors take it."""
        return f"{self.note}:{self.line}" if self.line else self.note


def check_blocks(workspace: Workspace, vault: Path) -> list[BlockFinding]:
    """Return the blocks of the vault that differ from the records, by note and line.

    A block that its student kept as edited still says what no record says; one that was adopted
    is prose. Nothing is written but the cache of pictures.
    """
    survey = survey_vault(workspace, vault, Options(accept_deletions=True), prose=False)
    findings = [
        *_edited(survey), *_kept(survey), *_unknown(survey), *_refused(survey), *_pending(survey)
    ]  # fmt: skip
    unique = {(finding.note, finding.address): finding for finding in reversed(findings)}
    return sorted(
        unique.values(), key=lambda finding: (finding.note, finding.line, finding.address)
    )


def _edited(survey: Survey) -> Iterator[BlockFinding]:
    for trouble in survey.plan.conflicts:
        if not stays_deleted(trouble.path):
            yield _edited_block(trouble.path, trouble.line, trouble.address)


def _kept(survey: Survey) -> Iterator[BlockFinding]:
    """Yield what its student kept as edited; what was made prose for good is none of ours."""
    for address in survey.plan.kept:
        path, _, key = address.partition("#")
        note = survey.snapshot.notes.get(path)
        name = property_key(note.id or "", key) if note else path
        if survey.state.settled.get(name) != FOREVER and not stays_deleted(path):
            yield _edited_block(path, _line(note, key), address)


def _unknown(survey: Survey) -> Iterator[BlockFinding]:
    """Yield blocks with results that no report makes: no record stands behind them."""
    for block_id, places in survey.snapshot.blocks.items():
        if block_id not in survey.blocks:
            for note, block in places:
                if any(find_results(block.body)):
                    address = f"{note.path}#{block_id}"
                    reason = "no report makes this block now: nothing proves its numbers"
                    adopt = f'thesis vault adopt "{address}" makes it your own prose'
                    yield BlockFinding(note.path, block.line, EDITED, address, reason, adopt)


def _refused(survey: Survey) -> Iterator[BlockFinding]:
    """Yield notes whose blocks can't be told apart, or whose records can't be relied on."""
    for trouble in survey.plan.refused:
        if trouble.path in survey.snapshot.notes:
            yield BlockFinding(
                trouble.path, trouble.line, PENDING, trouble.address, trouble.reason,
                "correct what is named, then: thesis report sync",
            )  # fmt: skip


def _edited_block(path: str, line: int, address: str) -> BlockFinding:
    return BlockFinding(
        path, line, EDITED, address, KINDS[EDITED],
        f'thesis vault take --new "{address}" writes what the records say; '
        f'thesis vault adopt "{address}" makes it your own prose',
    )  # fmt: skip


def _line(note: Note | None, block_id: str) -> int:
    blocks = note.scan.blocks if note else ()
    return next((block.line for block in blocks if block.id == block_id), 0)


def _pending(survey: Survey) -> Iterator[BlockFinding]:
    for write in survey.plan.writes:
        if write.before is None or write.after is None or write.before == write.after:
            continue
        if (note := survey.snapshot.notes.get(write.path)) and note.id == DASHBOARD:
            continue  # it tells of the vault itself, of what this check finds too
        for line, address in _differing(write):
            yield BlockFinding(
                write.path, line, PENDING, address, KINDS[PENDING], "thesis report sync"
            )


def _differing(write: Write) -> Iterator[tuple[int, str]]:
    """Yield line and address of what a write changes in a file that is there."""
    before, after = write.before or b"", write.after or b""
    if write.whole:
        yield from () if stays_deleted(write.path) else [(0, write.path)]
        return
    new = {block.id: block.body for block in scan(after).blocks}
    for block in scan(before).blocks:
        if block.id in new and not same(new[block.id], block.body):
            yield block.line, f"{write.path}#{block.id}"
