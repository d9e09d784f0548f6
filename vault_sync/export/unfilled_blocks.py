"""Generated blocks that have nothing to show yet: what they wait for is no text of a thesis."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from experiments.wording import catalogue
from vault_sync.engine.notes import Note
from vault_sync.engine.text.markers import body_start, splice
from vault_sync.export.front_matter.degree_words import packaged_lines

if TYPE_CHECKING:
    from vault_sync.export.reading.link_index import LinkIndex

GROUP = "nothing"
"""Of the phrases that stand in a block without content."""


def leave_out_unfilled(index: LinkIndex, language: str) -> LinkIndex:
    """Return the notes without the blocks that only say what they wait for; nothing is written.

    Where a chapter then holds no more than the headings and the lines that it came with, those
    lines go too: its headings head nothing. Lines keep their places.
    """
    return replace(
        index, notes={path: _filled(note, language) for path, note in index.notes.items()}
    )


def _filled(note: Note, language: str) -> Note:
    empty = [block for block in note.scan.blocks if _bare(block.body) in _phrases(language)]
    if not empty:
        return note
    data = note.data
    for block in reversed(empty):
        whole = data[block.start : block.stop]
        begin, mark, rest = whole.partition(b"-->")
        body, end, tail = rest.rpartition(b"<!--")
        blank = b"\n" * body.count(b"\n")
        data = splice(data, block, begin + mark + blank + end + tail)
    left = Note(note.path, data)
    return _without_opening(left, language) if len(empty) == len(note.scan.blocks) else left


def _without_opening(note: Note, language: str) -> Note:
    """Return NOTE without the lines that it came with, where it holds nothing else."""
    start = body_start(note.data)
    rows = note.data[start:].decode("utf-8", "surrogateescape").split("\n")
    packaged = packaged_lines(language)
    said = [row for row in map(str.strip, rows) if row and not row.startswith(("#", "<!--"))]
    if any(row not in packaged for row in said):
        return note
    kept = [row if row.startswith(("#", "<!--")) else "" for row in rows]
    text = "\n".join(kept).encode("utf-8", "surrogateescape")
    return Note(note.path, note.data[:start] + text)


def _bare(body: bytes) -> str:
    """Return the words of a block, however a formatter marks and breaks them."""
    return " ".join(body.decode("utf-8", "replace").split()).strip("*_")


@cache
def _phrases(language: str) -> frozenset[str]:
    names = catalogue.names(GROUP, language)
    texts = (catalogue.phrase(f"{GROUP}.{name}", language) for name in names)
    return frozenset(" ".join(text.split()).strip("*_") for text in texts)
