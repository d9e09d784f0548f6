"""A vault of one note that is written anew, and the steps of such a write."""

from __future__ import annotations

STEPS = ("locked", "read", "journalled", "temporary", "compared", "exchanged", "swapped", "synced",
         "done")  # fmt: skip
"""Names that `file_write.step` is called with, in their order."""
OLD, NEW = b"old " * 500, b"new " * 700
"""What the note holds, and what is written."""


def strays(vault):
    """Return the hidden files of a write that are left in VAULT."""
    return [path for path in vault.rglob("*") if path.is_file() and path.name.startswith(".")]
