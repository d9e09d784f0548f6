"""Values of properties that are more than a scalar on one line, as a reader of YAML sees them.

The reader is asked where the value stands and what its text is; it never types anything: `012`
is "012", and `yes` is "yes".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yaml import Node

_NULL = "tag:yaml.org,2002:null"


@dataclass(frozen=True)
class ValueItem:
    """A scalar of a value: the value itself, or an item of a list."""

    text: str
    start: int
    """Offset in the note, in bytes."""
    stop: int


@dataclass(frozen=True)
class ComposedValue:
    """A value: one text, or a flat list of texts."""

    parts: tuple[ValueItem, ...]
    is_list: bool
    flow: bool
    """A list in brackets; else one item per line, after dashes."""
    start: int
    stop: int

    @property
    def value(self) -> str | tuple[str, ...]:
        """The text, or the texts of the list."""
        return tuple(part.text for part in self.parts) if self.is_list else self.parts[0].text


def same_value(first: str | None, second: str | None) -> bool:
    r"""Whether two values of one line, as written, are the same to a reader of YAML.

    Example: ``'a "b"'`` in single quotes and ``"a \"b\""`` in double ones are the same text.
    """
    if first == second or first is None or second is None:
        return first == second
    if not {first[:1], second[:1]} & {"'", '"'}:
        return False
    from yaml import YAMLError, safe_load  # noqa: PLC0415 - slow, and seldom needed

    try:
        values = [safe_load(text) for text in (first, second)]
    except (YAMLError, ValueError):
        return False
    return all(isinstance(value, str) for value in values) and values[0] == values[1]


def compose(data: bytes, start: int, stop: int, key: str) -> ComposedValue | None:
    """Read the value of KEY from DATA[START:STOP], lines of YAML that hold it.

    None where the lines can't be read, or hold neither a text nor a flat list of texts.
    """
    from yaml import MappingNode, SafeLoader, YAMLError  # noqa: PLC0415 - slow, and seldom needed
    from yaml import compose as read  # noqa: PLC0415 - as above

    try:
        text = data[start:stop].decode()
        root: Any = read(text, SafeLoader)
    except (YAMLError, UnicodeDecodeError, ValueError, RecursionError):
        return None
    pairs = root.value if isinstance(root, MappingNode) else []
    values = [value for name, value in pairs if str(name.value) == key]
    return _SourceOffsets(text, start).composed(values[0]) if len(values) == 1 else None


class _SourceOffsets:
    """Turns the YAML reader's marks (characters of TEXT) into offsets of the note, in bytes."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start

    def composed(self, node: Node) -> ComposedValue | None:
        from yaml import ScalarNode, SequenceNode  # noqa: PLC0415 - loaded by now

        is_list = isinstance(node, SequenceNode)
        inner = node.value if isinstance(node, SequenceNode) else [node]
        if not all(isinstance(item, ScalarNode) for item in inner):
            return None
        return ComposedValue(
            parts=tuple(self._part(item) for item in inner),
            is_list=is_list,
            flow=isinstance(node, SequenceNode) and bool(node.flow_style),
            start=self._offset(node.start_mark.index),
            stop=self._offset(node.end_mark.index),
        )

    def _part(self, node: Any) -> ValueItem:
        return ValueItem(
            "" if node.tag == _NULL else str(node.value),
            self._offset(node.start_mark.index),
            self._offset(node.end_mark.index),
        )

    def _offset(self, index: int) -> int:
        return self.start + len(self.text[:index].encode())
