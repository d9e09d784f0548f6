"""Generated text calls the work what its degree calls it: a master's is no doctoral thesis."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from experiments.wording import catalogue
from vault_sync.engine.notes import Note
from vault_sync.engine.text.markers import splice

if TYPE_CHECKING:
    from vault_sync.export.reading.link_index import LinkIndex

USUAL = "phd"
"""The degree in whose words generated text is written."""

GROUPS = {
    "phd": "work-phd",
    "master": "work-master",
    "bachelor": "work-bachelor",
    "engineer": "work-engineer",
    "report": "work-report",
}
"""Degree -> the group of the phrases that name its work."""
KEYS = ("this", "of", "to", "the", "a", "supervisor")
"""Those phrases: `this thesis`, `of the thesis`, …"""


def name_work(index: LinkIndex, degree: str, language: str) -> LinkIndex:
    """Return the notes with the generated text of a vault worded for DEGREE; nothing is written.

    That is blocks, and lines that chapters came with and nobody changed. What the student wrote
    stays as it is, and all text of a doctoral thesis.
    """
    words = work_words(degree, language)
    if not words:
        return index
    lines = packaged_lines(language)
    return replace(
        index, notes={path: _worded(note, words, lines) for path, note in index.notes.items()}
    )


def work_words(degree: str, language: str) -> dict[str, str]:
    """Return what a doctoral thesis is called -> what the work of DEGREE is; empty where alike."""
    if degree in ("", USUAL):
        return {}
    groups = (GROUPS[USUAL], GROUPS[degree])
    pairs = [
        tuple(catalogue.phrase(f"{group}.{key}", language) for group in groups) for key in KEYS
    ]
    return {old: new for old, new in pairs if old != new}


def reword(text: str, words: dict[str, str]) -> str:
    """Replace the phrases WORDS in TEXT, the longest first, small or capital at their start."""
    phrases = sorted(words, key=len, reverse=True)
    expression = re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b", re.IGNORECASE)

    def change(match: re.Match[str]) -> str:
        new = words[match[0].lower()]
        return new[0].upper() + new[1:] if match[0][0].isupper() else new

    return expression.sub(change, text)


@cache
def packaged_lines(language: str) -> frozenset[str]:
    """Return the lines of text that a new vault's chapters come with."""
    folder = resources.files("templates").joinpath(language, "chapters")
    texts = (file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".jinja"))
    return frozenset(line for text in texts for line in text.splitlines() if " " in line)


def _worded(note: Note, words: dict[str, str], lines: frozenset[str]) -> Note:
    data = note.data
    for block in reversed(note.scan.blocks):
        whole = data[block.start : block.stop].decode("utf-8", "replace")
        begin, mark, rest = whole.partition("-->")
        body, end, tail = rest.rpartition("<!--")
        data = splice(data, block, f"{begin}{mark}{reword(body, words)}{end}{tail}".encode())
    rows = data.decode("utf-8", "surrogateescape").split("\n")
    rows = [reword(row, words) if row.rstrip("\r") in lines else row for row in rows]
    data = "\n".join(rows).encode("utf-8", "surrogateescape")
    return note if data == note.data else Note(note.path, data)
