"""Notes for the speaker, told apart from what a slide shows.

They are written in three ways: `note:` at the start of a paragraph (Obsidian's Advanced Slides),
which takes all to the end of the slide; a callout `[!note] Notes` or `[!speaker]`; and
`::: notes` … `:::` (pandoc).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.callouts import CALLOUT, TITLE
from vault_sync.export.reading.pandoc_ast import block, classes, plain, string

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node

SPEAKER = frozenset(("speaker", "speaker-notes"))
"""Kinds of callouts that are always notes."""
TITLES = frozenset(("note", "notes", "speaker notes", "notes de l'orateur", "notes orales"))
"""Titles, folded, by which a callout of the kind `note` is one."""
_START = re.compile(r"notes?[\u00a0\u202f]?:", re.IGNORECASE)
_FENCE = re.compile(r":{3,}\s*(?:notes|\{\s*\.notes\s*\})")
_FENCE_END = re.compile(r":{3,}")
_ENDS = ("SoftBreak", "LineBreak")
_SPACES = ("Space", *_ENDS)


def take_notes(blocks: list[Node]) -> tuple[list[Node], list[Node]]:
    """Return what a slide shows of BLOCKS, and what only the speaker reads."""
    shown: list[Node] = []
    notes: list[Node] = []
    fenced = False
    for place, node in enumerate(blocks):
        line = node["c"] if node["t"] in ("Para", "Plain") else []
        if not fenced and _FENCE.match(plain(line)):
            row, fenced = _unfenced(_after_break(line))
            notes += row
        elif fenced:
            row, fenced = _unfenced(line) if line else ([node], True)
            notes += row
        elif _is_callout(node):
            notes += _without_title(node)
        elif _after_mark(line) is not None:
            return shown, notes + [one for rest in blocks[place:] for one in _said(rest)]
        else:
            shown.append(node)
    return shown, notes


def _after_mark(line: list[Node]) -> list[Node] | None:
    """Return what follows `note:` in its paragraph; None where the line does not begin with it."""
    text = ""
    for place, node in enumerate(line[:3]):
        if node["t"] not in ("Str", "Space"):
            return None
        text += node["c"] if node["t"] == "Str" else " "
        match = _START.match(text.replace(" :", ":"))
        if match:
            left = text[text.index(":") + 1 :]
            return _stripped([*([string(left)] if left else []), *line[place + 1 :]])
    return None


def _unfenced(line: list[Node]) -> tuple[list[Node], bool]:
    """Return a paragraph within a fence, and whether the fence is still open after it."""
    last = line[-1] if line else None
    closed = bool(last and last["t"] == "Str" and _FENCE_END.fullmatch(last["c"]))
    kept = _stripped(line[:-1] if closed else line)
    return ([block("Para", kept)] if kept else []), not closed


def _after_break(line: list[Node]) -> list[Node]:
    end = next((place for place, node in enumerate(line) if node["t"] in _ENDS), len(line))
    return line[end + 1 :]


def _is_callout(node: Node) -> bool:
    if node["t"] != "Div" or CALLOUT not in classes(node):
        return False
    if SPEAKER & set(classes(node)):
        return True
    title = plain(node["c"][1][0]) if node["c"][1] else ""
    named = " ".join(title.replace("\u2019", "'").split()).casefold()
    return "note" in classes(node) and named in TITLES


def _without_title(node: Node) -> list[Node]:
    return [one for one in node["c"][1] if not (one["t"] == "Div" and TITLE in classes(one))]


def _stripped(line: list[Node]) -> list[Node]:
    while line and line[0]["t"] in _SPACES:
        line = line[1:]
    while line and line[-1]["t"] in _SPACES:
        line = line[:-1]
    return line


def _said(node: Node) -> list[Node]:
    """Return what stands from `note:` on, without that word."""
    line = node["c"] if node["t"] in ("Para", "Plain") else []
    rest = _after_mark(line)
    if _is_callout(node):
        return _without_title(node)
    if rest is None:
        return [node]
    return [block("Para", rest)] if rest else []
