"""Captions and block ids of generated tables and figures, by which prose refers to them.

A table has its caption above and its id below, where Obsidian looks for one; a picture has both
below. An id follows from the block and from what the table shows, never from where it stands, so
that `[[Results#^tbl-results-accuracy-widerface-val]]` means the same one after the next run.
"""

from __future__ import annotations

import hashlib
import re

from vault_sync.rendering.markdown import Safe

TABLE, FIGURE = "tbl", "fig"
"""First word of an id, as pandoc-crossref has them: https://lierdakil.github.io/pandoc-crossref."""
LONGEST = 60
"""Letters of the part of an id that names the block."""
DIGITS = 6
"""Of the digest behind a part whose letters alone would not tell it from others."""
_PLAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+(?:@\d+)?(?:\+[a-z0-9-]+@\d+)*)?")
"""Block ids that lose nothing that tells them apart: `results`, `run.v2@1`."""
_EMPHASIS = re.compile(r"(?<!\\)\*")


def new_label(used: set[str], kind: str, block_id: str, *parts: str) -> str:
    """Return an id of KIND that names the block and PARTS; one that is USED gets a number.

    What is returned is added to USED.
    """
    words = [kind, block_part(block_id), *(hyphened(part) for part in parts)]
    stem = "-".join(word for word in dict.fromkeys(words) if word)
    name, number = stem, 1
    while name in used:
        number += 1
        name = f"{stem}-{number}"
    used.add(name)
    return name


def block_part(block_id: str) -> str:
    """Name a block in an id; ids of Obsidian hold letters, digits and hyphens only."""
    name = hyphened(block_id)
    if _PLAIN.fullmatch(block_id) and len(name) <= LONGEST:
        return name
    digest = hashlib.sha256(block_id.encode()).hexdigest()[:DIGITS]
    return f"{name[: LONGEST - DIGITS - 1].rstrip('-')}-{digest}"


def hyphened(text: str) -> str:
    """Return TEXT in small letters and digits, joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def captioned_table(table: Safe, caption: Safe, label: str) -> Safe:
    """Put CAPTION above TABLE and its id below it, each a paragraph of its own."""
    return Safe(f"{italic(caption)}\n\n{table}\n\n^{label}")


def captioned_picture(picture: Safe, caption: Safe, label: str) -> Safe:
    """Put CAPTION below PICTURE, ended by its id."""
    return Safe(f"{picture}\n\n{italic(caption)} ^{label}")


def italic(text: Safe) -> Safe:
    """Write the sentence TEXT in italics; emphasis within would end them."""
    stop = "" if text.endswith((".", "!", "?")) else "."
    return Safe(f"*{_EMPHASIS.sub('', text)}{stop}*")
