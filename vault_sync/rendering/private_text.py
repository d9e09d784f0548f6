"""What a student marked as private in their words: Obsidian's and HTML's comments.

Where it is doubtful what a comment is (a mark in code, an escaped one, one kind within the other),
all that may be one is private.
"""

from __future__ import annotations

import re

_BOTH, _EACH = re.compile(r"%%|<!--"), (re.compile("%%"), re.compile("<!--"))
_QUOTED = re.compile(
    r"\\.|(?P<fence>^ {0,3}(?P<marks>`{3,}|~{3,})[^\n]*$.*?(?:^ {0,3}(?P=marks)[`~]*[ \t]*$|\Z))"
    r"|(?P<ticks>(?<!`)`+(?!`)).*?(?<!`)(?P=ticks)(?!`)|%%|<!--(?:-?>)?",
    re.DOTALL | re.MULTILINE,
)
"""An escape, a piece of code, or what may open a comment, whichever comes first."""


def public(text: str, *, inside: bool = False) -> str:
    """Return TEXT without its comments; one that never ends takes the rest along.

    INSIDE: a comment of Obsidian's is open already where TEXT begins.

    Example: ``public("a %%not for her%% b <!-- nor this -->")`` is ``"a  b "``.
    """
    hidden = bytearray(len(text))
    for spans in _readings(text, inside=inside):
        for start, stop in spans:
            hidden[start:stop] = b"\1" * (min(stop, len(text)) - start)
    return "".join(letter for letter, gone in zip(text, hidden, strict=True) if not gone)


def ends_inside(text: str) -> bool:
    """Whether a comment of Obsidian's may still be open where TEXT ends."""
    spans = [span for reading in _readings(text, inside=False) for span in reading]
    return any(stop > len(text) and text.startswith("%%", start) for start, stop in spans)


def _readings(text: str, *, inside: bool) -> list[list[tuple[int, int]]]:
    """Find the comments in each of the ways in which a program may read them."""
    begin = _closed(text, "%%", 0) if inside else 0
    opened = [(0, begin)] if inside else []
    blind = [_everywhere(text, marks, begin) for marks in (_BOTH, *_EACH)]
    return [opened, _outside_code(text, begin), *blind]


def _everywhere(text: str, marks: re.Pattern[str], place: int) -> list[tuple[int, int]]:
    """Find comments, taking no heed of code and escapes; an open one ends beyond the text."""
    spans = []
    while match := marks.search(text, place):
        place = _closed(text, "%%" if match[0] == "%%" else "-->", match.end())
        spans.append((match.start(), place))
    return spans


def _outside_code(text: str, place: int) -> list[tuple[int, int]]:
    """Find comments that begin outside of code and are not escaped."""
    spans = []
    while match := _QUOTED.search(text, place):
        place = match.end()
        if match[0] in ("%%", "<!--"):
            place = _closed(text, "%%" if match[0] == "%%" else "-->", match.end())
        if match[0].startswith(("%%", "<!--")):
            spans.append((match.start(), place))
    return spans


def _closed(text: str, mark: str, place: int) -> int:
    """Return where the comment ends that MARK closes; beyond the text where nothing does."""
    found = text.find(mark, place)
    return len(text) + 1 if found < 0 else found + len(mark)
