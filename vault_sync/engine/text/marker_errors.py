"""The messages for broken block markers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vault_sync.engine.text.markers import MarkerError

_REASONS = {
    "indented-marker": "a block marker must start at the first column",
    "malformed-marker": "this block marker can't be read; it needs id=... and nothing twice",
    "unclosed-fence": "a code fence opens here, is never closed and swallows block markers",
    "nested-begin": "block {id!r} begins inside another block",
    "end-without-begin": "block {id!r} ends here but never began",
    "crossed-end": "block {id!r} ends here while {open!r} is open",
    "duplicate-block": "block {id!r} stands in this note twice",
    "begin-without-end": "block {id!r} begins here and never ends",
}


def describe(fault: MarkerError) -> str:
    """Say in one sentence what is wrong with a marker."""
    return _REASONS[fault.reason].format(**fault.values)
