"""Lists in the properties of a note, changed item by item: comments and quotes of the rest stay."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from featherface.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vault_sync.engine.text.property_values import ComposedValue, ValueItem

_COMMENT = re.compile(rb"[ \t]#[^\r\n]*")
_ITEM = re.compile(rb"[ \t]*-[ \t]+")
_BREAK = re.compile(rb"\r\n|\n|\r")
_LINES = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def splice_flow(
    data: bytes, old: ComposedValue, items: Sequence[str], write: Callable[[str], bytes]
) -> bytes:
    """Return DATA with the list in brackets OLD holding ITEMS; items that stay keep their bytes.

    Raises:
        RefusedError: a comment stands between the brackets.
    """
    inside = data[old.start : old.stop]
    if _BREAK.search(inside) and re.search(rb"[ \t\r\n]#", inside):
        raise RefusedError("a comment stands between the brackets of the list; take it out first")
    raw = {part.text: data[part.start : part.stop] for part in old.parts}
    texts = [raw[item] if _is_text(raw.get(item), item) else write(item) for item in items]
    return data[: old.start] + b"[" + b", ".join(texts) + b"]" + data[old.stop :]


def splice_block(
    data: bytes,
    old: ComposedValue,
    start: int,
    items: Sequence[str],
    write: Callable[[str], bytes],
) -> bytes:
    """Return DATA with the dashed list OLD, whose key's line is at START, holding ITEMS.

    Raises:
        RefusedError: an item of the list goes over more than one line.
    """
    stop = _line_stop(data, old.parts[-1].start)
    lines = [match[0] for match in _LINES.finditer(data, start, stop) if match[0]]
    places = [_place(data, start, part) for part in old.parts]
    if any(_ITEM.match(lines[place]) is None for place in places):
        raise RefusedError("the list is written in an unusual way; write one item per line")
    lead = _ITEM.match(lines[places[0]])
    prefix = lead[0] if lead else b"- "
    ending = re.sub(rb"[^\r\n]", b"", lines[places[0]])
    texts = [part.text for part in old.parts]
    changes = difflib.SequenceMatcher(None, texts, list(items), autojunk=False).get_opcodes()
    for tag, low, high, first, last in reversed(changes):
        if tag == "equal":
            continue
        at = places[low] if low < len(places) else places[-1] + 1
        for place in reversed(places[low:high]):
            lines[place : place + 1] = _left(lines[place], prefix, ending)
        lines[at:at] = [prefix + write(item) + ending for item in items[first:last]]
    return data[:start] + b"".join(lines) + data[stop:]


def _place(data: bytes, start: int, part: ValueItem) -> int:
    """Return the number of the line of an item, the line at START being 0."""
    if _BREAK.search(data, part.start, part.stop):
        raise RefusedError("an item of the list goes over more than one line; write it on one")
    return len(_BREAK.findall(data, start, part.start))


def _left(line: bytes, prefix: bytes, ending: bytes) -> list[bytes]:
    """Return what stays of the line of an item that goes: its comment."""
    body = line[len(prefix) :]
    quoted = re.match(rb"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'", body)
    comment = _COMMENT.search(body, quoted.end() if quoted else 0)
    indent = prefix[: prefix.index(b"-")]
    return [indent + comment[0].lstrip() + ending] if comment else []


def _is_text(raw: bytes | None, item: str) -> bool:
    """Whether every reader takes the bytes of an item for this very text."""
    from yaml import YAMLError, safe_load  # noqa: PLC0415 - loaded by now

    try:
        return raw is not None and safe_load(raw.decode()) == item
    except (YAMLError, ValueError):
        return False


def _line_stop(data: bytes, place: int) -> int:
    match = _LINES.match(data, place)
    return match.end() if match else len(data)
