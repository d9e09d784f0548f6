"""The beginning of what a student wrote, as one line that stands for itself in a report.

Shown is the first paragraph, or each item of a list that comes first; headings, tables, pictures,
code and footnotes stay in the note, and what is private stays private.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault_sync.engine.meaning.parser import parse
from vault_sync.rendering.markdown import Safe, code, escape
from vault_sync.rendering.private_text import public

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

LONGEST = 300
"""Characters of a paragraph that are shown."""
MOST = 8
"""Items of a list that are shown."""

_TASK = re.compile(r"\[[^\]]\] ")
_CALLOUT = re.compile(r"\[![^\]]+\]")
_MARKS = re.compile(r"\^\[[^\]]*\]|\[\^[^\]]+\]|(?:^|\s)\^[A-Za-z0-9-]+\s*\Z|==(?=\S)|(?<=\S)==")
"""Footnotes, a block id, and marks of a highlight."""
_FORMULA = re.compile(r"\$[^$|`<>%\n]+\$")


@dataclass(frozen=True)
class Excerpt:
    """A paragraph, or an item, of a student's words."""

    text: Safe
    """Empty where there is none to show."""
    more: bool
    """Whether the note says more."""


def excerpt(text: str, *, inside: bool = False) -> Excerpt:
    """Return the first paragraph of TEXT; INSIDE as `public` has it."""
    found = excerpts(text, inside=inside)
    if not found:
        return Excerpt(Safe(""), more=False)
    return Excerpt(found[0].text, found[0].more or len(found) > 1)


def excerpts(text: str, *, inside: bool = False) -> list[Excerpt]:
    """Return the first paragraph of TEXT, or the items of the list that it begins with.

    Where it holds neither, one without text tells that there is something to see.
    """
    shown = public(text, inside=inside)
    try:
        tokens, _ = parse(shown)
    except RecursionError:
        return [Excerpt(Safe(""), more=True)]
    blocks = [block for block in _blocks(tokens) if block[0].type not in _PASSED]
    for block in blocks:
        found = _of_block(block) if block[0].type in _SHOWN else []
        if found:
            more = found[-1].more or len(blocks) > 1
            return [*found[:-1], replace(found[-1], more=more)]
    return [Excerpt(Safe(""), more=True)] if blocks else []


_SHOWN = frozenset({"paragraph_open", "bullet_list_open", "ordered_list_open", "blockquote_open"})
_PASSED = frozenset({"heading_open", "hr", "html_block"})
"""What says nothing by itself: it is no reason to look into the note."""


def _of_block(block: Sequence[Token]) -> list[Excerpt]:
    """Return the paragraph of a block, or a list's items; empty where it has no words."""
    if not block[0].type.endswith("_list_open"):
        return [found for found in [_paragraph(block)] if found.text]
    items = [found for item in _items(block) if (found := _paragraph(item)).text]
    if len(items) <= MOST:
        return items
    return [*items[: MOST - 1], replace(items[MOST - 1], more=True)]


def _blocks(tokens: Sequence[Token]) -> list[list[Token]]:
    """Part TOKENS into the blocks on their outermost level."""
    blocks: list[list[Token]] = []
    level = 0
    for token in tokens:
        if level == 0:
            blocks.append([])
        blocks[-1].append(token)
        level += token.nesting
    return blocks


def _items(block: Sequence[Token]) -> list[list[Token]]:
    """Part a list into its items; of a task, the box goes."""
    items = [item[1:-1] for item in _blocks(block[1:-1])]
    for item in items:
        words = item[1].children if len(item) > 1 else None
        if words and _TASK.match(item[1].content):
            words[0].content = words[0].content[4:]
    return items


def _paragraph(tokens: Sequence[Token]) -> Excerpt:
    """Return the first words among TOKENS, on one line."""
    inlines = [token for token in tokens if token.type == "inline"]
    for place, inline in enumerate(inlines):
        pieces = list(_pieces(_without_title(inline.children or [])))
        text, cut = _joined(pieces)
        if text:
            beyond = any(token.type in _BESIDES for token in tokens)
            return Excerpt(text, cut or beyond or place + 1 < len(inlines))
    return Excerpt(Safe(""), more=bool(tokens))


_BESIDES = frozenset({"fence", "code_block", "table_open", "formula"})


def _without_title(tokens: Sequence[Token]) -> Sequence[Token]:
    """Leave out the line that names a callout."""
    if not tokens or not _CALLOUT.match("".join(token.content for token in tokens)):
        return tokens
    breaks = [place for place, token in enumerate(tokens) if token.type == "softbreak"]
    return tokens[breaks[0] + 1 :] if breaks else []


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[str, Safe | None]]:
    """Yield the words of a paragraph, each with how it must be written where that is settled."""
    text = ""
    for token in tokens:
        kind, content = token.type, token.content
        if kind in ("text", "text_special"):
            text += content
        elif kind in ("softbreak", "hardbreak"):
            text += " "
        elif kind == "raw" and content.startswith("[["):
            text = text.removesuffix("!") if text.endswith("!") else text + _target(content)
        elif kind == "code_inline" or (kind == "raw" and _FORMULA.fullmatch(content)):
            yield _MARKS.sub("", text), None
            yield content, code(content) if kind == "code_inline" else Safe(content)
            text = ""
        elif kind == "raw":
            text += content
    yield _MARKS.sub("", text), None


def _target(link: str) -> str:
    """Return the words that a link shows."""
    target, bar, words = link[2:-2].partition("|")
    return words if bar else target.rpartition("/")[2].replace("#", " ").strip()


def _joined(pieces: Sequence[tuple[str, Safe | None]]) -> tuple[Safe, bool]:
    """Write PIECES on one line of at most LONGEST characters; whether something was cut off."""
    parts, left = [], LONGEST
    for text, written in pieces:
        line = re.sub(r"\s+", " ", text)
        if len(line) > left:
            kept = line[:left].rpartition(" ")[0] or line[:left]
            parts.append("…" if written is not None else f"{_escaped(kept).rstrip()}…")
            return Safe("".join(parts).strip()), True
        left -= len(line)
        parts.append(_escaped(line) if written is None else written)
    return Safe("".join(parts).strip()), False


def _escaped(text: str) -> str:
    """Escape a text that other pieces follow: the spaces at its ends stay."""
    before = " " * text[:1].isspace()
    after = " " * (text[-1:].isspace() and text.strip() != "")
    return f"{before}{escape(text)}{after}"
