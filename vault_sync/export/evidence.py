"""On what the numbers of a document rest; what was altered by hand is not exported unasked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.commands.block_states import EDITED
from vault_sync.commands.check_numbers import ProseNumbers
from vault_sync.commands.number_census import count_numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.workspace.workspace import Workspace
    from vault_sync.commands.block_states import BlockFinding
    from vault_sync.export.assembly import Document
    from vault_sync.prose.checking import NumberFinding


@dataclass(frozen=True)
class DocumentEvidence:
    """What stands behind the numbers of a document."""

    counts: Mapping[str, int]
    """What a number is, of `number_census.COUNTED`, and how many are."""
    blocks: int
    """Generated blocks: their numbers are not counted one by one."""
    altered: tuple[str, ...] = ()
    """`note:line: what was altered by hand, and how`, for each."""
    outdated: tuple[str, ...] = ()
    """The same of what the records no longer say, or never said."""
    remedy: str = ""
    """The command for the first of what was altered."""


def examine(workspace: Workspace, document: Document) -> DocumentEvidence:
    """Look at every number of the notes and pictures that DOCUMENT shows.

    Raises:
        NotFoundError: there is no vault.
    """
    vault = workspace.vault
    prose = ProseNumbers(workspace, [str(vault / path) for path in document.notes])
    shown = {*document.notes, *document.pictures}
    blocks = [block for block in prose.all_blocks if block.note in shown]
    altered = [block for block in blocks if block.kind == EDITED]
    edited = [finding for finding in prose.findings if finding.state == "hand-edited"]
    states = ("stale", "orphan", "broken")
    outdated = [finding for finding in prose.findings if finding.state in states]
    return DocumentEvidence(
        counts=count_numbers(prose.findings, prose.results, blocks),
        blocks=sum(len(note.scan.blocks) for note in prose.notes),
        altered=(*map(_block_line, altered), *map(_number_line, edited)),
        outdated=(
            *(_block_line(block) for block in blocks if block.kind != EDITED),
            *map(_number_line, outdated),
        ),
        remedy=_remedy(altered, edited),
    )


def refuse_altered(evidence: DocumentEvidence) -> None:
    """Make sure that nobody wrote over what a record says.

    Raises:
        RefusedError: a block or a bound number was edited by hand.
    """
    if evidence.altered:
        raise RefusedError(
            "the document would show what no record says:\n  " + "\n  ".join(evidence.altered),
            f"{evidence.remedy}; or export it as it stands, with --force",
        )


def _remedy(blocks: Iterable[BlockFinding], numbers: Iterable[NumberFinding]) -> str:
    for block in blocks:
        return block.next
    for _ in numbers:
        return "thesis check numbers --fix --edited writes what the records say"
    return ""


def _block_line(block: BlockFinding) -> str:
    return f"{block.where}: {block.kind} {block.address}: {block.reason}"


def _number_line(finding: NumberFinding) -> str:
    text = " ".join(finding.text.split())
    expected = f" → {finding.expected}" if finding.expected else ""
    return f"{finding.where}: {finding.state} {text}{expected}: {finding.reason}"
