"""Find, read and write the generated blocks of a note, on its bytes.

A block lives between two HTML comments at column 0, outside code fences and front matter:

    <!-- thesis:begin id=results.v2 template=performance sha=9f2c... -->

    ...generated...

    <!-- thesis:end id=results.v2 -->

Everything else belongs to the student and is never decoded, so any byte survives.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")
_MARKER = re.compile(rb"<!--[ \t]*thesis:(begin|end)\b(.*?)-->[ \t]*")
_LOOKS_LIKE = re.compile(rb"( {0,3})<!--[ \t]*thesis:(begin|end)\b")
_ATTRIBUTE = re.compile(rb"([a-z][a-z_-]*)=(\S+)")
_FENCE = re.compile(rb" {0,3}(`{3,}|~{3,})(.*)")
_INNER = re.compile(
    rb"[^\r\n]*(?:\r\n|\n|\r)(?:[ \t]*(?:\r\n|\n|\r))?(.*?)(?:\r\n|\n|\r){0,2}[^\r\n]*", re.DOTALL
)
_CANDIDATE = re.compile(rb"[\r\n] {0,3}(?:```|~~~|<!--[ \t]*thesis:)")
_ENDING = re.compile(rb"\r\n|\n|\r")
_OWN = ("id", "template", "sha")


@dataclass(frozen=True)
class Block:
    """One generated region of a note."""

    id: str
    template: str
    sha: str | None
    """SHA-256 of the body when it was last written; None where the student put the markers."""
    attributes: Mapping[str, str]
    """What else the begin marker says, such as `runs`."""
    line: int
    """1-based line of the begin marker."""
    start: int
    """Offset of the begin marker in the note, in bytes."""
    stop: int
    """Offset just after the end marker, its line ending excluded."""
    body: bytes
    """What lies between the markers, as `normalise` gives it."""
    ending: bytes
    """The line ending of the begin marker, which new text inside takes over."""


@dataclass(frozen=True)
class MarkerError:
    """A marker that can't be trusted; its note is refused."""

    line: int
    """1-based."""
    reason: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scan:
    """The blocks of a note, or what is wrong with its markers."""

    blocks: tuple[Block, ...] = ()
    faults: tuple[MarkerError, ...] = ()


@dataclass(frozen=True)
class _Marker:
    kind: bytes
    attributes: dict[str, str]
    line: int
    start: int
    """Offset of the marker."""
    text_stop: int
    """Offset after the marker's text."""
    stop: int
    """Offset after the marker's line, ending included."""
    ending: bytes


def digest(body: bytes) -> str:
    """SHA-256 of a normalised body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def normalise(raw: bytes) -> bytes:
    """LF line endings, and no blank lines before or after."""
    text = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return re.sub(rb"\A(?:[ \t]*\n)+", b"", text).rstrip(b" \t\n")


def write_block(
    block_id: str,
    template: str,
    body: bytes,
    attributes: Mapping[str, str],
    *,
    ending: bytes = b"\n",
    sha: str | None = None,
) -> bytes:
    """Lay out a whole block; SHA is the digest of its base where that is not BODY (a merge).

    Example: ``write_block("results.v2", "performance", b"82.5 %", {})`` gives the begin marker, a
    blank line, ``82.5 %``, a blank line and the end marker, without a line end behind it.
    """
    body = normalise(body)
    pairs = {"id": block_id, "template": template, **attributes, "sha": sha or digest(body)}
    begin = " ".join(f"{key}={_quote(value)}" for key, value in pairs.items())
    parts = [f"<!-- thesis:begin {begin} -->".encode(), b""]
    if body:
        parts += [body, b""]
    parts.append(f"<!-- thesis:end id={_quote(block_id)} -->".encode())
    return b"\n".join(parts).replace(b"\n", ending)


def splice(data: bytes, block: Block, replacement: bytes) -> bytes:
    """Put REPLACEMENT where BLOCK stands; every byte outside stays."""
    return data[: block.start] + replacement + data[block.stop :]


def unmark(data: bytes, blocks: Iterable[Block]) -> bytes:
    """Take the markers of BLOCKS away, each with the blank line inside; the text stays."""
    for block in sorted(blocks, key=lambda marked: marked.start, reverse=True):
        inner = _INNER.fullmatch(data[block.start : block.stop])
        text = inner[1] if inner else b""
        data = data[: block.start] + text + data[block.stop :]
    return data


def scan(data: bytes) -> Scan:
    """Find the blocks of a note; broken markers are faults with their line, never guessed at."""
    if b"thesis:" not in data:
        return Scan()
    markers: list[_Marker] = []
    faults: list[MarkerError] = []
    for item in _markers(data):
        if isinstance(item, _Marker):
            markers.append(item)
        else:
            faults.append(item)
    blocks = _pair(data, markers, faults)
    return Scan(tuple(blocks), tuple(sorted(faults, key=lambda fault: fault.line)))


def body_start(data: bytes) -> int:
    """Offset just after the BOM and the front matter, where there are any."""
    begin = len(BOM) if data.startswith(BOM) else 0
    first = _LINE.match(data, begin)
    if first is None or first[1].rstrip() != b"---":
        return begin
    for match in _lines(data, first.end()):
        if match[1].rstrip() in (b"---", b"..."):
            return match.end()
    return begin


def _lines(data: bytes, start: int) -> Iterator[re.Match[bytes]]:
    """Each line from START on, as a match of its text and its ending."""
    while start < len(data):
        match = _LINE.match(data, start)
        if match is None:  # pragma: no cover - the pattern matches at every offset
            return
        yield match
        start = match.end()


def _markers(data: bytes) -> Iterator[_Marker | MarkerError]:
    """Each marker outside code fences and front matter, in order."""
    fence: bytes | None = None
    opened, swallowed = 0, False
    for number, match in _candidate_lines(data, body_start(data)):
        text = match[1]
        fence_match = _FENCE.fullmatch(text)
        if fence is not None:
            swallowed = swallowed or _LOOKS_LIKE.match(text) is not None
            if fence_match and _closes(fence_match, fence):
                fence = None
        elif fence_match and _opens(fence_match):
            fence, opened, swallowed = fence_match[1], number, False
        elif _LOOKS_LIKE.match(text):
            yield _read_marker(match, number)
    if fence is not None and swallowed:
        yield MarkerError(opened, "unclosed-fence")


def _candidate_lines(data: bytes, start: int) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Each line from START on that may be a marker or a fence, with its 1-based number."""
    number = 1 + _count_endings(data, 0, start)
    places = [start, *(match.start() + 1 for match in _CANDIDATE.finditer(data, start))]
    for before, place in zip([start, *places], places, strict=False):
        number += _count_endings(data, before, place)
        line = _LINE.match(data, place)
        if line is not None:
            yield number, line


def _count_endings(data: bytes, start: int, stop: int) -> int:
    both = data.count(b"\r\n", start, stop)
    return data.count(b"\n", start, stop) + data.count(b"\r", start, stop) - both


def _opens(match: re.Match[bytes]) -> bool:
    """Whether a line of fence characters opens a fence: no backtick may follow backticks."""
    return not (match[1].startswith(b"`") and b"`" in match[2])


def _closes(match: re.Match[bytes], fence: bytes) -> bool:
    return match[1].startswith(fence) and not match[2].strip()


def _read_marker(match: re.Match[bytes], number: int) -> _Marker | MarkerError:
    text = match[1]
    if text.startswith(b" "):
        return MarkerError(number, "indented-marker")
    marker = _MARKER.fullmatch(text)
    if marker is None:
        return MarkerError(number, "malformed-marker")
    pairs = _ATTRIBUTE.findall(marker[2])
    rest = _ATTRIBUTE.sub(b"", marker[2]).strip()
    names = [key for key, _ in pairs]
    if rest or b"id" not in names or len(set(names)) < len(names):
        return MarkerError(number, "malformed-marker")
    attributes = {key.decode(): unquote(value.decode("utf-8", "replace")) for key, value in pairs}
    return _Marker(
        kind=marker[1],
        attributes=attributes,
        line=number,
        start=match.start(),
        text_stop=match.start() + len(text.rstrip(b" \t")),
        stop=match.end(),
        ending=match[2] or b"\n",
    )


def _pair(data: bytes, markers: list[_Marker], faults: list[MarkerError]) -> list[Block]:
    """Match begins with ends; what doesn't match is appended to FAULTS."""
    blocks: dict[str, Block] = {}
    opened: _Marker | None = None
    for marker in markers:
        name = marker.attributes["id"]
        if marker.kind == b"begin":
            if opened is not None:
                faults.append(MarkerError(marker.line, "nested-begin", {"id": name}))
                continue
            opened = marker
        elif opened is None:
            faults.append(MarkerError(marker.line, "end-without-begin", {"id": name}))
        elif opened.attributes["id"] != name:
            other = opened.attributes["id"]
            faults.append(MarkerError(marker.line, "crossed-end", {"id": name, "open": other}))
        else:
            if name in blocks:
                faults.append(MarkerError(opened.line, "duplicate-block", {"id": name}))
            blocks[name] = _block(data, opened, marker)
            opened = None
    if opened is not None:
        faults.append(
            MarkerError(opened.line, "begin-without-end", {"id": opened.attributes["id"]})
        )
    return list(blocks.values())


def _block(data: bytes, begin: _Marker, end: _Marker) -> Block:
    attributes = begin.attributes
    return Block(
        id=attributes["id"],
        template=attributes.get("template", ""),
        sha=attributes.get("sha"),
        attributes={key: value for key, value in attributes.items() if key not in _OWN},
        line=begin.line,
        start=begin.start,
        stop=end.text_stop,
        body=normalise(data[begin.stop : end.start]),
        ending=begin.ending,
    )


def _quote(value: str) -> str:
    """Keep an attribute one word that can't close the comment."""
    return quote(value, safe="@,.:/+*").replace("--", "-%2D")
