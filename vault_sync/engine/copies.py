"""The copies that synchronisers make of the losing side of a conflict; they are never read.

Some names say it outright. Others (`Note 2.md`, `Note (1).md`, `Note-LAPTOP.md`) may as well be a
note of the student's: they count as copies only where they stand beside the note they are named
after and carry its `thesis_id` or one of its blocks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.engine.notes import Note

SUFFIXES = (".md", ".base", ".canvas", ".png", ".svg", ".pdf")
"""Files of the vault that this program writes, or could have written."""

_OUTRIGHT = re.compile(
    r"conflict(?:ed|ing)?[ _-]copy"  # Dropbox, Nextcloud, Obsidian Sync, Box
    r"|copie[ _-](?:en[ _-]conflit|conflictuelle|de[ _-]conflit)"  # the same in French
    r"|\.sync-conflict-\d{8}"  # Syncthing
    r"|\((?:(?:case|unicode encoding|selective sync|white ?space) )?"  # Dropbox
    r"(?:conflict|conflit)s?(?: \d[^()]*)?\)"  # Obsidian Sync
    r"|\(SFConflict "  # Seafile
    r"|\[(?:conflict(?:ed)?|conflit)[^\[\]]*\]"  # pCloud, Google Drive
    r"|_(?:conflict|conflit)\.[^.]+\Z"  # Synology Drive
    r"|\.(?:conflict|conflit)(?:[-_.]?\d*)\.[^.]+\Z"  # Resilio
    r"|\.orig\.[^.]+\Z|_(?:BACKUP|BASE|LOCAL|REMOTE)_\d+\.[^.]+\Z"  # git mergetool
    r"|-(?:DESKTOP|LAPTOP|PC)-[A-Z0-9]{6,8}(?:-\d+)?\.[^.]+\Z",  # OneDrive
    re.IGNORECASE,
)
_LEFT_BY_GIT = re.compile(r"\.(?:md|base|canvas)(?:\.orig|~[^/]+)\Z", re.IGNORECASE)
_NAMED_AFTER = (
    re.compile(r"(?P<name>.+) \(\d{1,3}\)"),  # Google Drive, browsers
    re.compile(r"(?P<name>.+) \d{1,3}"),  # iCloud, Obsidian's own copies
    re.compile(r"(?P<name>.+?)-[A-Za-z0-9][A-Za-z0-9-]*"),  # OneDrive: the computer's name
    re.compile(r"(?P<name>.+) [–-] (?:copy|copie)(?: \(\d+\))?", re.IGNORECASE),  # Windows
    re.compile(r"(?P<name>.+) (?:copy|copie)(?: \d+)?", re.IGNORECASE),  # macOS
)


def is_copy(name: str) -> bool:
    """Whether the name of a file says that a synchroniser made it of a conflict."""
    if _LEFT_BY_GIT.search(name):
        return True
    return name.lower().endswith(SUFFIXES) and _OUTRIGHT.search(name) is not None


def find_copies(notes: Mapping[str, Note]) -> list[str]:
    """Return the paths of notes that are copies of the note they are named after."""
    return [path for path, note in notes.items() if _is_copy_of_note(path, note, notes)]


def _is_copy_of_note(path: str, note: Note, notes: Mapping[str, Note]) -> bool:
    folder, slash, name = path.rpartition("/")
    stem = name[:-3]
    for pattern in _NAMED_AFTER:
        match = pattern.fullmatch(stem)
        original = notes.get(f"{folder}{slash}{match['name']}.md") if match else None
        if original is not None and _same(note, original):
            return True
    return False


def _same(note: Note, original: Note) -> bool:
    if note.id is not None and note.id == original.id:
        return True
    blocks = {block.id for block in original.scan.blocks}
    return any(block.id in blocks for block in note.scan.blocks)
