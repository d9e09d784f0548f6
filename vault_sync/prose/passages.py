"""Where prose stands in a note: not in front matter, generated blocks, code or comments.

Code is fenced or, as CommonMark has it, indented by four columns where no paragraph goes on.

Everything is found on bytes; offsets are those of the note.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vault_sync.engine.text.markers import body_start, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
_QUOTES = re.compile(rb"(?:[ \t]*>)*")
_LIST = re.compile(rb"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*")
_FENCE = re.compile(rb"(`{3,}|~{3,})(.*)")
_APART = re.compile(rb"[|#]|(?:[-*+]|\d{1,9}[.)])[ \t]")
"""What a line starts with that goes on no paragraph: a table's row, a heading, a list item."""

_COMMENT = re.compile(rb"<!--(?!t:)")
"""What opens a comment that may go on for several paragraphs; a bound number's never does."""

_PLAIN = re.compile(rb" {0,3}[^\s>|#`~<+*0-9=_\[-]")
"""How most lines start: nothing but a paragraph."""

_RULE = re.compile(rb"(?:-[ \t]*)+|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|=+[ \t]*")
"""A line across the page, or below a heading."""

_ITEM = re.compile(rb"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|\Z)")
_FOOTNOTE = re.compile(rb" {0,3}\[\^[^\]]+\]:")
_CODE_INDENT = 4
_DEEPEST = 40
"""List items within one another that are told apart."""


@dataclass(frozen=True)
class Passages:
    """The prose of a note, one stretch of bytes per paragraph, table row or list item."""

    stretches: tuple[tuple[int, int], ...] = ()
    hidden: tuple[int, ...] = ()
    """Offsets of code fences that are opened and never closed."""
    faults: tuple[int, ...] = ()
    """Lines of broken block markers: what is generated there can't be told from prose."""


@dataclass
class _Fence:
    mark: bytes
    start: int
    quotes: int
    listed: bool
    """Whether it stands in a list item, which a line at the first column ends."""

    def closes(self, rest: bytes, quotes: int) -> bool:
        match = _FENCE.fullmatch(rest)
        same = match is not None and match[1].startswith(self.mark) and not match[2].strip()
        return same and quotes == self.quotes

    def left(self, text: bytes, quotes: int) -> bool:
        """Whether the quote or list item that holds the fence ends before this line."""
        outdented = self.listed and bool(text.strip()) and text[:1] not in b" \t>"
        return quotes < self.quotes or outdented


@dataclass
class _Lists:
    """The list items that a line may belong to: what is indented further than they is code."""

    contents: list[int] = field(default_factory=list)
    """Column at which the text of each open item stands, the innermost last."""
    quotes: int = 0
    after_blank: bool = True

    def take(self, inner: bytes, quotes: int, *, in_paragraph: bool) -> bool:
        """Take in a line that is not blank; return whether it is indented code."""
        if quotes != self.quotes:
            self.contents.clear()
            self.quotes = quotes
        indent = _width(inner[: len(inner) - len(inner.lstrip(b" \t"))])
        item = _ITEM.match(inner)
        outer = [content for content in self.contents if content <= indent]
        base = outer[-1] if outer else 0
        if indent - base >= _CODE_INDENT and not in_paragraph:
            return True
        if self.after_blank or item:
            self.contents = outer
        while item is not None and len(self.contents) < _DEEPEST:
            content = _width(inner[: item.end()])
            self.contents.append(content)
            item = _ITEM.match(inner, item.end())
        if _FOOTNOTE.match(inner):
            self.contents.append(_CODE_INDENT)
        self.after_blank = False
        return False


def _width(text: bytes) -> int:
    """Return how many columns TEXT takes; a tab goes on to the next fourth."""
    return len(text.expandtabs(_CODE_INDENT))


@dataclass
class _PassageBuilder:
    """Joins the lines of a note, one after the other, into passages."""

    stretches: list[tuple[int, int]] = field(default_factory=list)
    start: int | None = None
    """Of the stretch that the latest line belongs to."""
    stop: int = 0
    quotes: int = 0
    fence: _Fence | None = None
    comment: bool = False
    lists: _Lists = field(default_factory=_Lists)

    def end(self) -> None:
        if self.start is not None:
            self.stretches.append((self.start, self.stop))
        self.start = None

    def add(self, start: int, stop: int, quotes: int, *, apart: bool) -> None:
        if apart or quotes != self.quotes:
            self.end()
        self.start = start if self.start is None else self.start
        self.stop, self.quotes = stop, quotes


def find_passages(data: bytes) -> Passages:
    """Find the prose of a note; any bytes do."""
    blocks = scan(data)
    if blocks.faults:
        return Passages(faults=tuple(fault.line for fault in blocks.faults))
    builder = _PassageBuilder()
    for start, stop in _outside(body_start(data), data, [(b.start, b.stop) for b in blocks.blocks]):
        for match in _lines(data, start, stop):
            _step(builder, match)
        builder.end()
    hidden = (builder.fence.start,) if builder.fence else ()
    return Passages(tuple(builder.stretches), hidden)


def _outside(start: int, data: bytes, blocks: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for begin, end in sorted(blocks):
        yield start, begin
        start = end
    yield start, len(data)


def _lines(data: bytes, start: int, stop: int) -> Iterator[re.Match[bytes]]:
    while start < stop:
        match = _LINE.match(data, start, stop)
        if match is None:  # pragma: no cover - the pattern matches at every offset
            return
        yield match
        start = match.end()


def _step(builder: _PassageBuilder, match: re.Match[bytes]) -> None:
    """Take one line in."""
    text = match[1]
    if builder.fence is None and not builder.comment and _PLAIN.match(text):
        builder.lists.take(text, 0, in_paragraph=True)
        builder.add(match.start(), match.end(), 0, apart=False)
        return
    prefix = _QUOTES.match(text)
    inner = text[prefix.end() :] if prefix else text
    quotes = text[: len(text) - len(inner)].count(b">")
    if builder.fence is not None and _inside(builder, builder.fence, text, inner, quotes):
        return
    if builder.comment:
        builder.comment = b"-->" not in text
        return
    if not inner.strip():
        builder.end()
        builder.lists.after_blank = True
        return
    goes_on = builder.start is not None and quotes == builder.quotes
    inner = inner.removeprefix(b" ") if quotes else inner
    if builder.lists.take(inner, quotes, in_paragraph=goes_on):
        builder.end()
        return
    _add(builder, match, inner, quotes)


def _inside(
    builder: _PassageBuilder, fence: _Fence, text: bytes, inner: bytes, quotes: int
) -> bool:
    """Whether a line belongs to the open FENCE, which it may close."""
    closes = fence.closes(inner.strip(), quotes)
    left = not closes and fence.left(text, quotes)
    if closes or left:
        builder.fence = None
    return not left


def _add(builder: _PassageBuilder, match: re.Match[bytes], inner: bytes, quotes: int) -> None:
    """Take in a line of text, or one that opens a fence or a comment."""
    rest = inner.strip()
    opened = _opened(match.start(), inner, quotes)
    if opened is not None:
        builder.end()
        builder.fence = opened
    elif _COMMENT.match(rest) and b"-->" not in rest:
        builder.end()
        builder.comment = True
    else:
        apart = _APART.match(rest) is not None
        builder.add(match.start(), match.end(), quotes, apart=apart)
        if rest.startswith((b"|", b"#")) or _RULE.fullmatch(rest):
            builder.end()


def _opened(start: int, inner: bytes, quotes: int) -> _Fence | None:
    """Return the fence that a line opens; no backtick may follow backticks."""
    item = _LIST.match(inner)
    lead = item[0] if item else b""
    match = _FENCE.match(inner, len(lead))
    if match is None or (match[1].startswith(b"`") and b"`" in match[2]):
        return None
    return _Fence(match[1], start, quotes, listed=bool(lead.strip()) or len(lead) >= 4)
