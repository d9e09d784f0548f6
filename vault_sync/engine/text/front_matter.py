"""Where each property of a note stands in its front matter; found without a reader of YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass

from featherface.errors import RefusedError
from vault_sync.engine.text.markers import BOM, body_start

_KEY = re.compile(
    rb"(?:\"([^\"\\]+)\"|'([^']+)'"
    rb"|([^\s#:'\"\[\]{},&*!|>%@`-][^:#\r\n]*?))[ \t]*:(?=[ \t]|\r|\n|\Z)"
)
_VALUE = re.compile(
    rb"[ \t]*(\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\r\n]|'')*'"  # quoted
    rb"|[^\s#'\"|>&*!\[{](?:[^\r\n#]|(?<![ \t])#)*?)?"  # plain
    rb"([ \t]*(?:[ \t]#[^\r\n]*)?)(\r\n|\n|\r|\Z)"  # a comment
)
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_DASHES = (b"- ", b"-\n", b"-\r", b"-\t")


@dataclass(frozen=True)
class Property:
    """Where one top-level key of the front matter stands."""

    key: str
    line: int
    start: int
    """Offset of the value (of the place for it, where it is empty)."""
    stop: int
    raw: bytes | None
    """The value as written; None where it is no scalar on one line."""
    lines: tuple[int, int] = (0, 0)
    """Offsets of the line of the key, and of the first line that is no longer the value's."""


@dataclass(frozen=True)
class FrontMatter:
    """The properties of a note, in order."""

    properties: tuple[Property, ...]
    close: int
    """Offset of the closing line."""
    ending: bytes

    def find(self, key: str) -> Property | None:
        """Return the property called KEY, or None.

        Raises:
            RefusedError: KEY stands there twice; the message names the line.
        """
        matches = [prop for prop in self.properties if prop.key == key]
        if len(matches) > 1:
            raise RefusedError(f"line {matches[1].line}: the property {key!r} stands there twice")
        return matches[0] if matches else None


def read_front_matter(data: bytes) -> FrontMatter | None:
    """Find the properties of a note; None where it has no front matter."""
    begin = len(BOM) if data.startswith(BOM) else 0
    end = body_start(data)
    if end == begin:
        return None
    place = next_line(data, begin)
    ending = (
        data[place - 2 : place] if data[place - 2 : place] == b"\r\n" else data[place - 1 : place]
    )
    properties: list[Property] = []
    line = 2
    while True:
        stop = next_line(data, place)
        if stop >= end:
            return FrontMatter(tuple(properties), place, ending)
        match = _KEY.match(data, place, stop)
        if match:
            properties.append(_property(data, match, line, end))
        place = stop
        line += 1


def _property(data: bytes, match: re.Match[bytes], line: int, end: int) -> Property:
    key = next(group for group in match.groups() if group is not None).decode("utf-8", "replace")
    place = match.end()
    literal = data[place:end].lstrip(b" \t")[:1] in (b"|", b">")
    reach = match.start(), _reach(data, next_line(data, place), end, literal=literal)
    value = _VALUE.match(data, place, end)
    if value is None or value.end() < reach[1]:
        return Property(key, line, place, place, None, reach)
    raw = value[1]
    if raw is None:
        return Property(key, line, place, place, b"", reach)
    return Property(key, line, value.start(1), value.end(1), raw, reach)


def _reach(data: bytes, place: int, end: int, *, literal: bool) -> int:
    """Return where the value ends whose next line would be at PLACE.

    Indented lines and items after dashes belong to it; blank lines and comments do where one of
    those follows. In a LITERAL (`|`, `>`) nothing indented is a comment.
    """
    reach = place
    while place < end:
        text = data[place : next_line(data, place)]
        place += len(text)
        inner = text.strip()
        indented = text[:1] in (b" ", b"\t")
        if inner and (not inner.startswith(b"#") or (literal and indented)):
            if not (indented or text[:1] in (b"]", b"}") or text[:2] in _DASHES):
                break
            reach = place
    return reach


def next_line(data: bytes, place: int) -> int:
    """Return the offset just after the line that goes on at PLACE."""
    match = _LINE.match(data, place)
    return match.end() if match else len(data)
