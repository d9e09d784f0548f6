"""How many numbers of some notes are proved, cited, planned, the student's own, or nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from vault_sync.commands.block_states import EDITED, PENDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault_sync.commands.block_states import BlockFinding
    from vault_sync.prose.checking import NumberFinding
    from vault_sync.prose.unbacked import PlainResult

COUNTED = ("measured", "imported", "cited", "target", "own", "unbacked", "stale", "altered")
"""What a number can be; the weakest evidence of several counts."""
_WEAKEST_FIRST = ("target", "cited", "imported", "measured")


def count_numbers(
    findings: Iterable[NumberFinding],
    results: Iterable[PlainResult],
    blocks: Iterable[BlockFinding],
) -> dict[str, int]:
    """Count bound numbers, plain ones that read like results, and blocks that were edited.

    An orphan or a broken binding is backed by nothing; a pending block is stale.
    """
    counts = Counter(map(_of_bound, findings))
    counts.update(result.backing or "unbacked" for result in results)
    counts.update({EDITED: "altered", PENDING: "stale"}[block.kind] for block in blocks)
    return {name: counts[name] for name in COUNTED}


def _of_bound(finding: NumberFinding) -> str:
    if finding.state == "fresh" and finding.value is not None:
        evidence = finding.value.evidence
        return next((name for name in _WEAKEST_FIRST if name in evidence), "measured")
    return {"stale": "stale", "hand-edited": "altered"}.get(finding.state, "unbacked")
