"""Markdown that data can't break: escapes, code, tables.

An escaped text can't break a table, open a comment, a link or a tag, start Templater or Dataview
code, or forge a block marker.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Safe(str):
    """Markdown that is escaped already or was built by this package: never escaped again."""

    __slots__ = ()


_BREAKS = re.compile(r"[\r\n\t\v\f\x1c-\x1e\x85\u2028\u2029]+")
_ENTITY = re.compile(r"&(?=#?[0-9A-Za-z]+;)")
_REPLACED = {
    "\\": "\\\\",
    "|": "\\|",
    "`": "\\`",
    "*": "\\*",
    "$": "\\$",
    "<": "&lt;",
    ">": "&gt;",
    "[": "&#91;",
    "]": "&#93;",
}
_LETTERS = re.compile("|".join(re.escape(letter) for letter in _REPLACED))
_TAG = re.compile(r"(?<!\S)#")
_UNDERSCORES = re.compile(r"(?<!\w)_+|_+(?!\w)")
"""Those at either end of a word, each of which may begin or end emphasis."""
_DOUBLED = re.compile(r"%(?=%)|=(?==)|~(?=~)|\{(?=[{%#])|\^(?=[A-Za-z0-9-]+\Z)")


def escape(text: str) -> Safe:
    """Make TEXT stand for itself on one line of Markdown, in and out of table cells."""
    text = _BREAKS.sub(" ", text)
    text = "".join(letter for letter in text if not _is_invisible(letter))
    text = _ENTITY.sub("&amp;", text)
    text = _LETTERS.sub(lambda match: _REPLACED[match[0]], text)
    text = _TAG.sub(r"\\#", text)
    text = _UNDERSCORES.sub(lambda match: "\\_" * len(match[0]), text)
    return Safe(_DOUBLED.sub(lambda match: f"&#{ord(match[0])};", text).strip())


def code(text: object) -> Safe:
    """Show TEXT as code where it can be shown so in a table too; else as plain text."""
    word = str(text)
    if word and re.fullmatch(r"[\w .,:;@+/*()!?^~'\"&#<>=%-]+", word) and not _UNSAFE.search(word):
        return Safe(f"`{word}`")
    return escape(word)


def aside(command: str) -> Safe:
    """Write a COMMAND as a comment of Obsidian's, for the student alone: documents leave it out.

    Nothing is written where its words would break the comment or the block around it.
    """
    return Safe("" if re.search(r"%%|-->|[<`|]|\[\[|\$=|[\r\n]", command) else f"%%`{command}`%%")


_UNSAFE = re.compile(r"--|%%|<[!%/A-Za-z]|\A[$=]|\A\s|\s\Z")


def table(
    headers: Sequence[object], rows: Iterable[Sequence[object]], numeric: Sequence[int] = ()
) -> Safe:
    """Lay out a Markdown table; columns NUMERIC are flushed right."""
    rule = ["--:" if place in numeric else ":--" for place in range(len(headers))]
    lines = [_row(headers), f"|{'|'.join(rule)}|", *(_row(row) for row in rows)]
    return Safe("\n".join(lines))


def _row(cells: Sequence[object]) -> str:
    texts = (cell if isinstance(cell, Safe) else escape(str(cell)) for cell in cells)
    return f"| {' | '.join(texts)} |"


def tidy(text: str) -> str:
    """Leave one blank line at most anywhere, and none at the ends."""
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def _is_invisible(letter: str) -> bool:
    """Control characters, and those that turn the writing direction."""
    return (
        unicodedata.category(letter) == "Cc"
        or letter in "\u202a\u202b\u202c\u202d\u202e"
        or ("\u2066" <= letter <= "\u2069")
    )
