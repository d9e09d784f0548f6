"""Comments that open a line: CommonMark takes such a line for HTML and renders no Markdown in it.

A zero-width space before the comment, written as an entity so that it shows in the note's source,
makes the line a paragraph again; the exported document is without it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.prose.bindings import find_bindings, read_tokens
from vault_sync.prose.passages import find_passages

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARD = b"&#8203;"
"""What stands before a comment that would open a line."""
_LEAD = re.compile(
    rb"(?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(?:\[\^[^\]\r\n]+\]:[ \t]*)?"
)
"""What CommonMark takes off a line before it looks for HTML: quotes, list items, footnotes."""
_BREAK = re.compile(rb"[\r\n]")


def opens_line(data: bytes, start: int) -> bool:
    """Whether nothing but quote marks, list marks and white space precede START in its line."""
    line = max(data.rfind(b"\n", 0, start), data.rfind(b"\r", 0, start)) + 1
    before = data[line:start].removeprefix(b"\xef\xbb\xbf")
    return _LEAD.fullmatch(before) is not None


def find_line_openers(data: bytes) -> Iterator[int]:
    """Yield the offsets of bound numbers and of marks that make HTML of their line.

    A mark alone on its line does no harm.
    """
    starts = {binding.start for binding in find_bindings(data).numbers}
    if b"t:own" in data:
        starts |= set(_marks_before_text(data))
    yield from (start for start in sorted(starts) if opens_line(data, start))


def guard(data: bytes) -> bytes:
    """Return the note with no bound number and no mark at the start of a line."""
    for start in sorted(find_line_openers(data), reverse=True):
        data = data[:start] + GUARD + data[start:]
    return data


def _marks_before_text(data: bytes) -> Iterator[int]:
    for start, stop in find_passages(data).stretches:
        if data.find(b"t:own", start, stop) >= 0:
            for token in read_tokens(data, start, stop):
                end = _BREAK.search(data, token.stop)
                rest = data[token.stop : end.start() if end else len(data)]
                if token.kind == "own" and rest.strip():
                    yield token.start
