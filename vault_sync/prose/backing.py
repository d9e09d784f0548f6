"""What backs the numbers of a passage besides a binding: a citation, or the student's own mark.

Both reach as far as the sentence they stand in, or directly behind; in a table, as far as the row.
A mark alone on its line, `<!--t:own-->`, covers what follows up to the next blank line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from vault_sync.prose.plain import TextPassage

_KEY = r"[^\W\d_][\w:.+/-]*"
_CITED = re.compile(
    rf"\[\[@{_KEY}[^\[\]\r\n]{{0,300}}\]\]"
    rf"|\[[^\[\]]{{0,300}}?(?<![\w.])@(?:{_KEY}|\{{[^{{}}\s]+\}})[^\[\]]{{0,300}}\](?![(:])"
    rf"|(?<![\w.@/:+-])-?@(?!(?:best|last)\b){_KEY}"
    r"|\\[a-zA-Z]{0,10}cite[a-zA-Z]{0,10}\*?(?:\[[^\[\]]{0,200}\]){0,2}\{[^{}]{1,400}\}"
)
"""A citation as pandoc, Obsidian's citation plugins and LaTeX write it."""
_FOOTNOTE = re.compile(r"\[\^([^\[\]\s]{1,100})\](?!:)")
_DEFINED = re.compile(r"[ \t>]*\[\^([^\[\]\s]{1,100})\]:")
_LEAD = re.compile(r"(?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*")


@dataclass(frozen=True)
class Backing:
    """Where something in a passage backs numbers, in characters, and what it is."""

    at: int
    kind: str
    """`cited` or `own`."""


def find_backings(passage: TextPassage, cited_notes: Container[str]) -> list[Backing]:
    """Return what backs the numbers of PASSAGE, in order.

    CITED_NOTES names the footnotes whose text holds a citation.
    """
    backings = [Backing(begin, "own") for begin, _, kind in passage.marks if kind == "own"]
    text = _without_code(passage)
    if "@" in text or "cite" in text:
        backings += [Backing(match.start(), "cited") for match in _CITED.finditer(text)]
    if "[^" in text:
        backings += [
            Backing(match.start(), "cited")
            for match in _FOOTNOTE.finditer(text)
            if match[1] in cited_notes
        ]
    return sorted(backings, key=lambda backing: backing.at)


def cited_footnotes(passages: Iterable[TextPassage]) -> frozenset[str]:
    """Return the names of the footnotes whose text holds a citation."""
    names = set()
    for passage in passages:
        if (defined := _DEFINED.match(passage.raw)) and _CITED.search(_without_code(passage)):
            names.add(defined[1])
    return frozenset(names)


def covers_what_follows(passage: TextPassage) -> bool:
    """Whether the first line of PASSAGE holds nothing but the student's own mark."""
    first = passage.text.split("\n", 1)[0]
    end = len(first)
    marked = any(kind == "own" and begin < end for begin, _, kind in passage.marks)
    lead = _LEAD.match(first)
    return marked and not first[lead.end() if lead else 0 :].strip("\0 \t\r")


def _without_code(passage: TextPassage) -> str:
    """Return the passage with its code, comments and bound numbers left out."""
    if not passage.marks:
        return passage.raw
    parts: list[str] = []
    place = 0
    for begin, end, _ in passage.marks:
        parts += [passage.raw[place:begin], "\0" * (end - begin)]
        place = end
    return "".join([*parts, passage.raw[place:]])
