"""What to do with a block, from its base, what is on disk, and what is new.

| base B, disk D, new N               | decision                          |
| ----------------------------------- | --------------------------------- |
| D = N, or they mean the same        | unchanged                         |
| D blank                             | write                             |
| D = B, or they mean the same        | write                             |
| D edited, N = B                     | edited: no write, reported        |
| D edited, N new, merge is clean     | merge: written only when allowed  |
| D edited, N new, both touch a place | conflict                          |
| no base at all                      | conflict                          |
"""

from __future__ import annotations

import difflib
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.engine.meaning.sameness import respell, same

if TYPE_CHECKING:
    from collections.abc import Sequence


class Decision(enum.Enum):
    """What becomes of a block."""

    UNCHANGED = "unchanged"
    WRITE = "write"
    EDITED = "edited"
    MERGE = "merge"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class BlockDecision:
    """A decision, and the body to write where there is one."""

    decision: Decision
    body: bytes | None = None


def decide(base: bytes | None, disk: bytes, new: bytes) -> BlockDecision:
    """Decide over one block; all three bodies are normalised, BASE is None when unknown."""
    if same(disk, new):
        return BlockDecision(Decision.UNCHANGED)
    if not disk or (base is not None and same(disk, base)):
        return BlockDecision(Decision.WRITE, new)
    if base is None:
        return BlockDecision(Decision.CONFLICT)
    if same(new, base):
        return BlockDecision(Decision.EDITED)
    merged = merge(base, respell(disk, base), respell(new, base))
    return BlockDecision(Decision.CONFLICT if merged is None else Decision.MERGE, merged)


def merge(base: bytes, disk: bytes, new: bytes) -> bytes | None:
    r"""Merge line by line; None where both sides changed the same or touching lines.

    Example: base ``b"a\nb\nc"``, disk ``b"A\nb\nc"`` and new ``b"a\nb\nC"`` give ``b"A\nb\nC"``.
    """
    lines = base.split(b"\n")
    ours, theirs = _changes(lines, disk.split(b"\n")), _changes(lines, new.split(b"\n"))
    merged: list[bytes] = []
    place = -1
    for start, stop, replacement in sorted({*ours, *theirs}):
        if start <= place:  # touching counts as overlapping: the order would be a guess
            return None
        merged += [*lines[max(place, 0) : start], *replacement]
        place = stop
    return b"\n".join([*merged, *lines[max(place, 0) :]])


def _changes(
    base: Sequence[bytes], other: Sequence[bytes]
) -> list[tuple[int, int, tuple[bytes, ...]]]:
    """Each changed stretch of BASE: first line, line after, what takes its place."""
    matcher = difflib.SequenceMatcher(None, base, other, autojunk=False)
    return [
        (start, stop, tuple(other[low:high]))
        for tag, start, stop, low, high in matcher.get_opcodes()
        if tag != "equal"
    ]
