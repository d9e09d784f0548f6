"""The flat properties of a note (its YAML front matter), changed by splicing bytes.

YAML is never dumped again: comments, key order, quoting, `012` and line endings stay as the
student wrote them. Only the bytes of a changed value are replaced.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import RefusedError
from vault_sync.engine.markers import BOM, body_start

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar = str | int | float | bool

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
_PLAIN = re.compile(r"[A-Za-zÀ-ÿ][A-Za-z0-9À-ÿ_./@+-]*(?: [A-Za-z0-9À-ÿ_./@+-]+)*")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})


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
        found = [one for one in self.properties if one.key == key]
        if len(found) > 1:
            raise RefusedError(f"line {found[1].line}: the property {key!r} stands there twice")
        return found[0] if found else None


def read_front_matter(data: bytes) -> FrontMatter | None:
    """Find the properties of a note; None where it has no front matter."""
    begin = len(BOM) if data.startswith(BOM) else 0
    end = body_start(data)
    if end == begin:
        return None
    place = _next_line(data, begin)
    ending = (
        data[place - 2 : place] if data[place - 2 : place] == b"\r\n" else data[place - 1 : place]
    )
    found: list[Property] = []
    line = 2
    while True:
        stop = _next_line(data, place)
        if stop >= end:
            return FrontMatter(tuple(found), place, ending)
        match = _KEY.match(data, place, stop)
        if match:
            found.append(_property(data, match, line, end))
        place = stop
        line += 1


def value_of(data: bytes, key: str) -> str | None:
    """Return a property of a note as text; None where it is missing or no scalar."""
    if key.encode() not in data:
        return None
    front = read_front_matter(data)
    found = next((one for one in front.properties if one.key == key), None) if front else None
    if found is None or found.raw is None:
        return None
    return _text(found.raw)


def write_value(value: Scalar) -> str:
    """Write a scalar so that every YAML reader gives the same one back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, float):
        # Readers of YAML 1.1 take an exponent for text where the digits before it hold no point.
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def splice(data: bytes, values: Mapping[str, Scalar]) -> bytes:
    """Return the note with its properties set to VALUES; all else keeps its bytes.

    Raises:
        RefusedError: there is no front matter, a key stands twice or holds more than a scalar, or
            an independent reader finds that more than VALUES has changed.
    """
    changed = data
    for key, value in values.items():
        changed = _set(changed, key, write_value(value).encode())
    if changed != data:
        _confirm(data, changed, values)
    return changed


def write_front_matter(values: Mapping[str, Scalar]) -> str:
    """Write the front matter of a new note."""
    lines = "".join(f"{key}: {write_value(value)}".rstrip() + "\n" for key, value in values.items())
    return f"---\n{lines}---\n"


def _confirm(before: bytes, after: bytes, values: Mapping[str, Scalar]) -> None:
    """Have python-frontmatter read both notes: only VALUES may differ.

    The bytes were changed by patterns of our own, and the properties are the student's; another
    program's opinion is asked before anything is written.
    """
    known = _understood(before)
    if known is None:  # the student's YAML was broken before; there is nothing to compare with
        return
    if _understood(after) != known | dict(values):
        keys = ", ".join(repr(key) for key in values)
        raise RefusedError(f"the properties {keys} can't be set without touching others")


def _understood(data: bytes) -> dict[str, object] | None:
    import frontmatter  # noqa: PLC0415 - read only where a property changes
    from yaml import YAMLError  # noqa: PLC0415

    try:
        return dict(frontmatter.loads(data.decode("utf-8-sig")).metadata)
    except (YAMLError, UnicodeDecodeError, ValueError, TypeError):
        return None


def _set(data: bytes, key: str, value: bytes) -> bytes:
    front = read_front_matter(data)
    if front is None:
        raise RefusedError("the note has lost its properties (the lines between --- at its top)")
    found = front.find(key)
    if found is None:
        line = key.encode() + b": " + value + front.ending
        return data[: front.close] + line + data[front.close :]
    if found.raw is None:
        raise RefusedError(f"line {found.line}: the property {key!r} holds more than one value")
    if found.raw == value:
        return data
    space = b"" if data[found.start - 1 : found.start] in (b" ", b"\t") else b" "
    return data[: found.start] + space + value + data[found.stop :]


def _property(data: bytes, match: re.Match[bytes], line: int, end: int) -> Property:
    key = next(group for group in match.groups() if group is not None).decode("utf-8", "replace")
    place = match.end()
    value = _VALUE.match(data, place, end)
    if value is None or _continues(data, value.end(), end):
        return Property(key, line, place, place, None)
    raw = value[1]
    if raw is None:
        return Property(key, line, place, place, b"")
    return Property(key, line, value.start(1), value.end(1), raw)


def _continues(data: bytes, place: int, end: int) -> bool:
    """Whether the next line still belongs to the value: indented, or an item of a list."""
    following = data[place : min(end, place + 2)]
    return following[:1] in (b" ", b"\t") or following in (b"- ", b"-\n", b"-\r")


def _next_line(data: bytes, place: int) -> int:
    match = _LINE.match(data, place)
    return match.end() if match else len(data)


def _text(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    return text
