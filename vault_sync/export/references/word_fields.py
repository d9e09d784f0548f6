"""Fields and bookmarks of Word, with the text they show until Word counts anew."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from vault_sync.export.reading.labels import SECTION
from vault_sync.export.references.numbering import FOOT

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node
    from vault_sync.export.references.numbering import Numbers

FIRST = 90_000
"""The first number of our bookmarks: pandoc counts its own from a few."""
LONGEST = 40
"""Letters that Word takes in the name of a bookmark."""


class Bookmarks:
    """Makes bookmarks; each has a number of its own."""

    def __init__(self) -> None:
        self._numbers = itertools.count(FIRST)

    def around(self, identity: str, content: str) -> str:
        """Return CONTENT within the bookmark of an id."""
        number, name = next(self._numbers), quoteattr(bookmark(identity))
        start = f'<w:bookmarkStart w:id="{number}" w:name={name}/>'
        return f'{start}{content}<w:bookmarkEnd w:id="{number}"/>'


def bookmark(identity: str) -> str:
    """Return the name of the bookmark of an id; Word hides names that begin like this."""
    name = f"_Ref_{re.sub(r'[^A-Za-z0-9]', '_', identity)}"
    if len(name) <= LONGEST:
        return name
    return f"{name[: LONGEST - 9]}_{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def run(text: str) -> str:
    """Return a run of text."""
    return f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def field(instruction: str, shown: str, *, outdated: bool = False) -> str:
    """Return a field; SHOWN is its result as known now; Word counts an OUTDATED one at once."""
    dirty = ' w:dirty="true"' if outdated else ""
    return (
        f'<w:r><w:fldChar w:fldCharType="begin"{dirty}/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {escape(instruction)} </w:instrText></w:r>'
        f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run(shown)}'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


def reset(sequence: str) -> str:
    """Return an unseen field that begins a sequence anew: LibreOffice knows no other by chapter."""
    hidden = "<w:rPr><w:vanish/></w:rPr>"
    return (
        f'<w:r>{hidden}<w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r>{hidden}<w:instrText xml:space="preserve"> SEQ {escape(sequence)} \\r 0 \\h '
        f'</w:instrText></w:r><w:r>{hidden}<w:fldChar w:fldCharType="end"/></w:r>'
    )


def inline(text: str) -> Node:
    """Make an inline that only Word's document holds."""
    return {"t": "RawInline", "c": ["openxml", text]}


def restarts(numbers: Numbers) -> set[str]:
    """Return the ids whose count Word would get wrong by itself: their fields say the number.

    Word begins anew at each heading of the first level, numbered or not, and counts the notes at
    the foot apart; we count as LaTeX does.
    """
    counts: Counter[str] = Counter()
    wrong: set[str] = set()
    for entry in numbers.entries.values():
        if entry.kind == SECTION:
            if entry.level == 1 and numbers.by_chapter:
                counts.clear()
            continue
        if not entry.count or entry.place == FOOT:
            continue
        counts[entry.kind] += 1
        if counts[entry.kind] != entry.count:
            wrong.add(entry.identity)
            counts[entry.kind] = entry.count
    return wrong
