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
from vault_sync.engine.text.front_matter import next_line, read_front_matter
from vault_sync.engine.text.markers import BOM
from vault_sync.engine.text.property_lists import splice_block, splice_flow
from vault_sync.engine.text.property_values import compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault_sync.engine.text.front_matter import FrontMatter, Property
    from vault_sync.engine.text.property_values import ComposedValue

Scalar = str | int | float | bool
Value = Scalar | tuple[str, ...]

_PLAIN_ITEMS = re.compile(rb"[ \t]*\[([^\]\[{}\"'#&*!|>%@`:\\\r\n?]*)\][ \t]*(?:[ \t]#|[\r\n]|\Z)")
_PLAIN_ITEM = re.compile(rb"[ \t]*-[ \t]+([A-Za-z0-9\x80-\xff][\w\x80-\xff/ .-]*)")
_HEADER = re.compile(rb"[|>][0-9+-]*")
_PLAIN = re.compile(r"[A-Za-zÀ-ÿ][A-Za-z0-9À-ÿ_./@+-]*(?: [A-Za-z0-9À-ÿ_./@+-]+)*")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_NULLS = ("", "~", "null", "Null", "NULL")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"})


@dataclass(frozen=True)
class PropertyValue:
    """The value of a property as its note has it, and its line."""

    value: str | tuple[str, ...] | None
    """Its text, or the texts of a list, as written; None where it is neither."""
    line: int


def value_of(data: bytes, key: str) -> str | None:
    """Return a property of a note as text; None where it is missing or no scalar."""
    if key.encode() not in data:
        return None
    front = read_front_matter(data)
    prop = next((prop for prop in front.properties if prop.key == key), None) if front else None
    if prop is None or prop.raw is None:
        return None
    return _text(prop.raw)


def read_value(data: bytes, key: str) -> PropertyValue | None:
    """Return what property KEY of a note says; None where the note has no such property.

    Nothing is typed: `012`, `yes` and `2026-01-01` are the texts that stand there, and an empty
    value, `null` and `~` are the empty text.

    Example: with the line ``tags: [a, b]`` in the note, ``read_value(data, "tags").value`` is
    ``("a", "b")``.

    Raises:
        RefusedError: KEY stands there twice; the message names the line.
    """
    front = read_front_matter(data) if key.encode() in data else None
    return value_in(data, front, key) if front else None


def value_in(data: bytes, front: FrontMatter, key: str) -> PropertyValue | None:
    """Return what property KEY says in front matter that was read already, as `read_value` does."""
    prop = front.find(key)
    if prop is None:
        return None
    if prop.raw is not None and (text := _simple(prop.raw)) is not None:
        return PropertyValue(text, prop.line)
    if prop.raw is None and (texts := _plain_items(data, prop)) is not None:
        return PropertyValue(texts, prop.line)
    composed = _compose(data, prop)
    return PropertyValue(None if composed is None else composed.value, prop.line)


def write_value(value: Value) -> str:
    """Write a value so that every YAML reader gives the same one back.

    Examples: ``True`` -> ``true``, ``("a", "b c")`` -> ``[a, b c]``, ``"yes"`` -> ``"yes"`` in
    quotes.
    """
    if isinstance(value, tuple):
        return f"[{', '.join(write_value(item) for item in value)}]"
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


def splice(data: bytes, values: Mapping[str, Value]) -> bytes:
    """Return the note with its properties set to VALUES; all else keeps its bytes.

    In a list that is there, dashes or brackets stay, and so do the items that stay.

    Raises:
        RefusedError: there is no front matter, a key stands twice or holds what can't be replaced
            without touching more, or an independent reader finds that more than VALUES changed.
    """
    changed = data
    for key, value in values.items():
        changed = _set(changed, key, value)
    if changed != data:
        _confirm(data, changed, values)
    return changed


def write_front_matter(values: Mapping[str, Value]) -> str:
    """Write the front matter of a new note."""
    lines = "".join(f"{key}: {write_value(value)}".rstrip() + "\n" for key, value in values.items())
    return f"---\n{lines}---\n"


def _confirm(before: bytes, after: bytes, values: Mapping[str, Value]) -> None:
    """Have python-frontmatter read both notes: only VALUES may differ.

    The bytes were changed by patterns of our own, and the properties are the student's; another
    program's opinion is asked before anything is written. Items of a list that stayed may be of
    any type to it (`2026`), so lists are compared as texts.
    """
    old_values = _understood(before)
    if old_values is None:  # the student's YAML was broken before; there is nothing to compare with
        return
    new_values = _understood(after)
    lists = {key for key, value in values.items() if isinstance(value, tuple)}
    wanted = old_values | {key: value for key, value in values.items() if key not in lists}
    agreed = new_values is not None and _without(new_values, lists) == _without(wanted, lists)
    for key in lists:
        stated = read_value(after, key)
        agreed = agreed and stated is not None and stated.value == values[key]
    if not agreed:
        keys = ", ".join(repr(key) for key in values)
        raise RefusedError(f"the properties {keys} can't be set without touching others")


def _without(values: Mapping[str, object], keys: set[str]) -> dict[str, object]:
    return {key: value for key, value in values.items() if key not in keys}


def _understood(data: bytes) -> dict[str, object] | None:
    import frontmatter  # noqa: PLC0415 - read only where a property changes
    from yaml import YAMLError  # noqa: PLC0415

    try:
        return dict(frontmatter.loads(data.decode("utf-8-sig")).metadata)
    except (YAMLError, UnicodeDecodeError, ValueError, TypeError):
        return None


def _set(data: bytes, key: str, value: Value) -> bytes:
    front = read_front_matter(data)
    if front is None:
        raise RefusedError("the note has lost its properties (the lines between --- at its top)")
    prop = front.find(key)
    if prop is None:
        line = f"{key}: {write_value(value)}".encode() + front.ending
        return data[: front.close] + line + data[front.close :]
    if prop.raw is None:
        return _replace(data, prop, value)
    text = write_value(value).encode()
    if prop.raw == text:
        return data
    space = b"" if data[prop.start - 1 : prop.start] in (b" ", b"\t") else b" "
    return data[: prop.start] + space + text + data[prop.stop :]


def _replace(data: bytes, prop: Property, value: Value) -> bytes:
    """Set a property whose value is a list, or a text over several lines."""
    old = compose(data, *prop.lines, prop.key)
    if old is None or old.is_list != isinstance(value, tuple) or _is_named(data, old):
        what = "more than one value" if old is None or old.is_list else "a value of another kind"
        raise RefusedError(f"line {prop.line}: the property {prop.key!r} holds {what}")
    if old.value == value:
        return data
    try:
        if isinstance(value, tuple):
            return _replace_list(data, prop, old, value)
    except RefusedError as error:
        reason = f"line {prop.line}: the property {prop.key!r}: {error.message}"
        raise RefusedError(reason) from error
    text = write_value(value).encode()
    header = _HEADER.match(data, old.start)
    if header is None:
        return data[: old.start] + text + data[old.stop :]
    rest = next_line(data, old.start)
    content = data[rest : old.stop].rstrip(b" \t\r\n")
    stop = next_line(data, rest + len(content)) if content else rest
    return data[: old.start] + text + data[header.end() : rest] + data[stop:]


def _replace_list(data: bytes, prop: Property, old: ComposedValue, items: tuple[str, ...]) -> bytes:
    def write(item: str) -> bytes:
        return write_value(item).encode()

    if old.flow:
        return splice_flow(data, old, items, write)
    changed = splice_block(data, old, prop.lines[0], items, write)
    # An empty list is said so, where its items stood: no value at all is another thing.
    return changed if items else changed[: prop.start] + b" []" + changed[prop.start :]


def _is_named(data: bytes, old: ComposedValue) -> bool:
    """Whether a value has an anchor, a tag or an alias, which other values may lean on."""
    return data[old.start : old.start + 1] in (b"&", b"!", b"*")


def _compose(data: bytes, prop: Property) -> ComposedValue | None:
    """Read the value of a property on its own; with all the others where it leans on them."""
    alone = compose(data, *prop.lines, prop.key)
    if alone is not None:
        return alone
    begin = next_line(data, len(BOM) if data.startswith(BOM) else 0)
    front = read_front_matter(data)
    return compose(data, begin, front.close, prop.key) if front else None


def _plain_items(data: bytes, prop: Property) -> tuple[str, ...] | None:
    """Return the items of a plain list; None where only a reader of YAML knows them."""
    flow = _PLAIN_ITEMS.match(data, prop.start)
    if flow is None:
        lines = data[prop.start : prop.lines[1]].splitlines()
        items = [_PLAIN_ITEM.fullmatch(line) for line in lines[1:]]
        if lines[0].strip() or not all(items):
            return None
        raw = [item[1] for item in items if item]
    else:
        raw = flow[1].split(b",")
    try:
        texts = tuple(text.decode().strip() for text in raw)
    except UnicodeDecodeError:
        return None
    if texts == ("",):
        return ()
    return None if any(text in _NULLS for text in texts) else texts


def _simple(raw: bytes) -> str | None:
    """Return the text of a scalar on one line; None where only a reader of YAML knows it."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            return None
    return "" if text in _NULLS else _text(raw)


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


__all__ = [
    "PropertyValue",
    "Scalar",
    "Value",
    "read_front_matter",
    "read_value",
    "splice",
    "value_in",
    "value_of",
    "write_front_matter",
    "write_value",
]
