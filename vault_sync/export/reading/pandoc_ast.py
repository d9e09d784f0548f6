"""Pandoc's syntax tree as JSON: walk it, read it, make its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Node = dict[str, Any]

API = [1, 23, 1]
"""Version of pandoc's syntax tree that our nodes keep to."""
INLINES = frozenset(
    "Str Emph Underline Strong Strikeout Superscript Subscript SmallCaps Quoted Cite Code Space "  # noqa: SIM905 - a sentence reads better than twenty lines
    "SoftBreak LineBreak Math RawInline Link Image Note Span".split()
)
BLOCKS = frozenset(
    "Plain Para LineBlock CodeBlock RawBlock BlockQuote OrderedList BulletList DefinitionList "  # noqa: SIM905 - as above
    "Header HorizontalRule Table Figure Div".split()
)
_SPACES = {"Space": " ", "SoftBreak": " ", "LineBreak": " "}


def rewrite(
    value: Any,
    *,
    inlines: Callable[[list[Node]], list[Node]] | None = None,
    blocks: Callable[[list[Node]], list[Node]] | None = None,
) -> Any:
    """Return VALUE with every list of inlines and of blocks in it changed, the inner ones first."""
    if isinstance(value, dict):
        if _is_leaf(value):
            return value
        return {**value, "c": rewrite(value["c"], inlines=inlines, blocks=blocks)}
    if not isinstance(value, list):
        return value
    done = [
        item if _is_leaf(item) else rewrite(item, inlines=inlines, blocks=blocks) for item in value
    ]
    kind = done[0].get("t") if done and isinstance(done[0], dict) else None
    if inlines and kind in INLINES:
        return inlines(done)
    if blocks and kind in BLOCKS:
        return blocks(done)
    return done


def _is_leaf(value: Any) -> bool:
    """Whether nothing is in VALUE: most nodes are words and the spaces between them."""
    return isinstance(value, dict) and not isinstance(value.get("c"), list | dict)


def find(value: Any, kind: str) -> Iterator[Node]:
    """Yield every node of KIND in VALUE, in the order of the text."""
    if isinstance(value, dict):
        if value.get("t") == kind:
            yield value
        yield from find(value.get("c"), kind)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from find(item, kind)


def plain(value: Any) -> str:
    """Return the words of a tree, without its marks; notes at the foot are left out."""
    if isinstance(value, list):
        return "".join(plain(item) for item in value)
    if not isinstance(value, dict):
        return ""
    kind: str = value.get("t", "")
    content: Any = value.get("c")
    if kind in _SPACES:
        return _SPACES[kind]
    if kind == "Str":
        return str(content)
    if kind in ("Code", "Math", "CodeBlock"):
        return str(content[1])
    return "" if kind in ("Note", "RawInline", "RawBlock") else plain(content)


def attributes(
    identifier: str = "", classes: Sequence[str] = (), **pairs: str
) -> list[str | list[str] | list[list[str]]]:
    """Make the attributes of a node; `custom_style` stands for `custom-style`."""
    named = [[key.replace("_", "-"), value] for key, value in pairs.items()]
    return [identifier, list(classes), named]


def string(text: str) -> Node:
    """Make a word."""
    return {"t": "Str", "c": text}


def words(text: str) -> list[Node]:
    """Make words and the spaces between them."""
    nodes: list[Node] = []
    for word in text.split(" "):
        nodes += [string(word)] if word else []
        nodes.append({"t": "Space"})
    return nodes[:-1]


def block(kind: str, content: Any) -> Node:
    """Make a node that holds nothing besides its content: Para, Strong, BlockQuote, ..."""
    return {"t": kind, "c": content}


def span(content: list[Node], identifier: str = "", *classes: str, **pairs: str) -> Node:
    """Make a span."""
    return {"t": "Span", "c": [attributes(identifier, classes, **pairs), content]}


def div(content: list[Node], identifier: str = "", *classes: str, **pairs: str) -> Node:
    """Make a division."""
    return {"t": "Div", "c": [attributes(identifier, classes, **pairs), content]}


def header(level: int, content: list[Node], identifier: str = "", *classes: str) -> Node:
    """Make a heading."""
    return {"t": "Header", "c": [level, attributes(identifier, classes), content]}


def link(content: list[Node], target: str) -> Node:
    """Make a link."""
    return {"t": "Link", "c": [attributes(), content, [target, ""]]}


def raw(writer: str, text: str) -> Node:
    """Make a block that only WRITER's output holds, word by word."""
    return {"t": "RawBlock", "c": [writer, text]}


def classes(node: Node) -> list[str]:
    """Return the classes of a Div, Span, CodeBlock or Code."""
    return list(node["c"][0][1])
