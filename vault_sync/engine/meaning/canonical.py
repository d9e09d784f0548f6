"""What a text says, as values that compare equal where two texts mean the same.

Left out is what formatters choose: `*` or `_`, the padding of tables, the marks of lists, blank
lines, where lines break, where footnotes and references are defined. Kept is all that is said:
every word, number, sign, address, comment, attribute and line of code, and their order.

As no parser shows everything (a surplus cell of a table, a second definition of one label), all
letters and digits of the source are compared besides, whether they are shown or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from vault_sync.engine.meaning.parser import FOOTNOTES, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

Atom = tuple[object, ...]
"""A part of what a text says."""

_ESCAPED = "\0"
"""Stands before a character that an escape keeps from meaning something to Obsidian or pandoc."""
_ACTIVE = frozenset("[]%$=#^~<>{}|@!")
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_WORD = re.compile(r"[^\W_]+")
_DEFINITION = re.compile(r"^[ \t>]*\[[^\]]+\]:", re.MULTILINE)
_CALLOUT = re.compile(r"\[!")


class UnreadableError(Exception):
    """A text that is nested too deeply to be read."""


@dataclass(frozen=True)
class Leaf:
    """A paragraph, heading, row, formula or piece of code, and where it stands."""

    start: int
    """0-based line."""
    stop: int
    """The line after."""
    saying: Atom
    """What it says, with the lists and quotations it stands in."""


@lru_cache(maxsize=256)
def canonical(body: bytes) -> Atom:
    """Return what BODY says.

    Raises:
        UnreadableError: it is nested too deeply.
    """
    text = body.decode("utf-8", "surrogateescape")
    try:
        tokens, environment = parse(text)
        lines = text.split("\n")
        references = environment.get("references", {})
        notes = [(label, canonical(note.encode("utf-8", "surrogateescape")))
                 for label, note in environment[FOOTNOTES]]  # fmt: skip
    except RecursionError as error:
        raise UnreadableError from error
    return (
        tuple(_Walk(lines).atoms(tokens)),
        tuple(sorted((label, _target(about)) for label, about in references.items())),
        tuple((about["label"], _target(about)) for about in environment.get("duplicate_refs", ())),
        tuple(sorted(notes, key=lambda note: note[0])),
        _words(text),
    )


def leaves(body: bytes) -> list[Leaf]:
    """Return the parts of BODY that stand on lines of their own, in order.

    Raises:
        UnreadableError: it is nested too deeply.
    """
    text = body.decode("utf-8", "surrogateescape")
    try:
        tokens, _ = parse(text)
    except RecursionError as error:
        raise UnreadableError from error
    walk = _Walk(text.split("\n"))
    list(walk.atoms(tokens))
    return walk.leaves


def _target(about: dict[str, object]) -> Atom:
    return about.get("href"), about.get("title")


def _words(text: str) -> Atom:
    """Return all letters and digits; in no order where there are definitions, which may move."""
    words = _WORD.findall(text)
    return tuple(sorted(words) if _DEFINITION.search(text) else words)


@dataclass
class _Walk:
    """One pass over the tokens of a text."""

    lines: Sequence[str]
    leaves: list[Leaf] = field(default_factory=list)
    around: list[Atom] = field(default_factory=list)
    """The lists, items and quotations that are open."""
    columns: int = 0
    """Of the table that is open."""

    def atoms(self, tokens: Sequence[Token]) -> Iterator[Atom]:
        """Yield what TOKENS say, part by part."""
        place = 0
        while place < len(tokens):
            token = tokens[place]
            stop = _closing(tokens, place) if token.type in _LEAVES else place + 1
            if token.type in _LEAVES or token.nesting == 0:
                part = tuple(self.leaf(tokens[place:stop]))
                if token.map is not None:
                    said = (*self.around, *part)
                    self.leaves.append(Leaf(token.map[0], token.map[1], said))
                yield from part
            elif token.nesting > 0:
                self.around.append(_container(token))
                yield _container(token)
            else:
                self.around.pop()
                yield (token.type,)
            place = stop

    def leaf(self, tokens: Sequence[Token]) -> Iterator[Atom]:
        """Yield what a leaf says."""
        first = tokens[0]
        if first.type in ("fence", "code_block"):
            yield "code", first.info.strip(), first.content
        elif first.type == "formula":
            yield "formula", _SPACE.sub(" ", first.content).strip()
        elif first.type == "html_block":
            yield "html", "\n".join(line.rstrip() for line in first.content.strip("\n").split("\n"))
        elif first.type == "hr":
            yield ("hr",)
        else:
            callout = bool(self.around) and self.around[-1][0] == "blockquote_open"
            for token in tokens:
                if token.type == "inline":
                    yield from _inline(token.children or (), callout=callout)
                elif token.type.endswith("_open"):
                    yield token.type, token.tag, token.attrs.get("style")
            if first.type == "tr_open":
                yield from self.surplus(tokens)

    def surplus(self, tokens: Sequence[Token]) -> Iterator[Atom]:
        """Yield the cells of a row that no column shows."""
        from markdown_it.rules_block.table import escapedSplit  # noqa: PLC0415 - loaded by now

        cells = sum(token.type in ("th_open", "td_open") for token in tokens)
        row = tokens[0].map
        if row is None:
            return
        parts = [part.strip() for part in escapedSplit(self.lines[row[0]].strip(" \t>"))]
        parts = parts[1:] if parts[:1] == [""] else parts
        yield from (("surplus", part) for part in parts[cells:] if part)


_LEAVES = frozenset({"paragraph_open", "heading_open", "tr_open"})


def _closing(tokens: Sequence[Token], place: int) -> int:
    """Return the place after the token that closes the one at PLACE."""
    level = 0
    for number in range(place, len(tokens)):
        level += tokens[number].nesting
        if level == 0:
            return number + 1
    return len(tokens)


def _container(token: Token) -> Atom:
    """Name a list, item, quotation or table; of an ordered item its number too."""
    return token.type, token.info if token.type == "list_item_open" else ""


def _inline(tokens: Sequence[Token], *, callout: bool = False) -> Iterator[Atom]:
    """Yield what a line of text says: its words with one space between, and what they are in."""
    text = ""
    for token in tokens:
        if token.type in ("text", "text_special"):
            text += _spelled(token)
        elif token.type == "softbreak":
            title, callout = callout and _CALLOUT.match(text) is not None, False
            text += "\n\n" if title else " "
        else:
            yield from _texts(text)
            text = ""
            yield _spanned(token)
    yield from _texts(text)


def _texts(text: str) -> Iterator[Atom]:
    """Yield a text, the title of a callout apart; white space counts as one space."""
    for part in text.split("\n\n"):
        if part:
            yield "text", _SPACE.sub(" ", part)


def _spelled(token: Token) -> str:
    escaped = token.type == "text_special" and token.content in _ACTIVE
    return f"{_ESCAPED}{token.content}" if escaped else token.content


def _spanned(token: Token) -> Atom:
    """Say what stands in a text besides its words."""
    if token.type == "raw":
        link = token.content.startswith("[[")
        return "raw", token.content if link else _SPACE.sub(" ", token.content)
    if token.type == "image":
        described = tuple(_inline(token.children or ()))
        return "image", token.attrs.get("src"), token.attrs.get("title"), described
    if token.type == "link_open":
        return "link", token.attrs.get("href"), token.attrs.get("title")
    return token.type, token.content
