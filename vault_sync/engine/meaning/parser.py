"""The parser that reads blocks: CommonMark with tables, and what Obsidian adds to it.

Links, comments and formulas of Obsidian are taken as they stand: what looks like emphasis or an
escape in them is none. A footnote's text is set apart, for it may stand anywhere.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

FOOTNOTES = "footnotes"
"""Key of the environment: label and text of each footnote's definition, in order."""
DEEPEST = 60
"""Levels of nesting that are read; the text below is not lost, `canonical` sees its words."""

_LINK = re.compile(r"\[\[[^\[\]\n]+\]\]")
_COMMENT = re.compile(r"%%.*?%%", re.DOTALL)
_FORMULA = re.compile(
    r"\$\$.+?\$\$|\$(?![\s$])(?:\\.|[^$\\])*?(?<!\s)\$(?!\d)",
    re.DOTALL,
)
_RAW = {"[": _LINK, "%": _COMMENT, "$": _FORMULA}
_FOOTNOTE = re.compile(r" {0,3}\[\^([^\]\s]+)\]:[ \t]*(.*)")
_FORMULA_LINE = re.compile(r"\$\$(?!.*\$\$.*\S)")


def parse(text: str) -> tuple[list[Token], MutableMapping[str, Any]]:
    """Return the tokens of TEXT, and what it defines: references and footnotes."""
    environment: dict[str, Any] = {FOOTNOTES: []}
    return _parser().parse(text, environment), environment


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - a tenth of a second, seldom needed

    class BlockReader(MarkdownIt):
        """Takes addresses as they are written; all of them are addresses."""

        def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
            return bool(url) or True

        def normalizeLink(self, url: str) -> str:  # noqa: N802 - as above
            return url

        def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - as above
            return link

    reader = BlockReader("commonmark", {"maxNesting": DEEPEST}).enable(["table", "strikethrough"])
    reader.core.ruler.disable("text_join")  # joined, an escape is no longer told from a letter
    reader.inline.ruler.before("escape", "obsidian", _raw_rule)
    reader.block.ruler.before("reference", "footnote", _footnote_rule)
    reader.block.ruler.before(
        "hr", "formula", _formula_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]}
    )
    return reader


def _raw_rule(state: StateInline, silent: bool) -> bool:
    """Take a link, comment or formula of Obsidian whole."""
    pattern = _RAW.get(state.src[state.pos])
    match = pattern.match(state.src, state.pos, state.posMax) if pattern else None
    if match is None:
        return False
    if not silent:
        state.push("raw", "", 0).content = match[0]
    state.pos = match.end()
    return True


def _formula_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Take a formula that begins a line, up to the line that ends it."""
    if state.is_code_block(start) or not _FORMULA_LINE.match(_line(state, start)):
        return False
    opening = _line(state, start)
    last = start
    if not (opening.rstrip().endswith("$$") and opening.strip() != "$$"):
        last = next(
            (number for number in range(start + 1, end) if "$$" in _line(state, number)), end
        )
        if last == end or not _line(state, last).rstrip().endswith("$$"):
            return False
    if any(state.sCount[number] < state.blkIndent for number in range(start, last + 1)):
        return False
    if silent:
        return True
    state.line = last + 1
    token = state.push("formula", "", 0)
    token.map = [start, last + 1]
    token.content = "\n".join(_line(state, number) for number in range(start, last + 1))
    return True


def _footnote_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Set a footnote's definition apart: its line, and the indented or plain ones that follow."""
    match = None if state.is_code_block(start) else _FOOTNOTE.fullmatch(_line(state, start))
    if match is None:
        return False
    if silent:
        return True
    texts, number = [match[2]], start + 1
    while number < end:
        line = _line(state, number)
        indented = state.sCount[number] - state.blkIndent >= 2
        after_blank = state.isEmpty(number - 1)
        if state.isEmpty(number):
            pass
        elif _FOOTNOTE.fullmatch(line) or (after_blank and not indented):
            break
        texts.append(line if not indented else _indented(state, number))
        number += 1
    while number > start + 1 and state.isEmpty(number - 1):
        number -= 1
        texts.pop()
    state.line = number
    state.env[FOOTNOTES].append((match[1], "\n".join(texts)))
    return True


def _line(state: StateBlock, number: int) -> str:
    """Return a line of the block without the marks of what it stands in, and its indent."""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _indented(state: StateBlock, number: int) -> str:
    """Return a line of a footnote with what it is indented by beyond the footnote's own four."""
    depth = max(0, state.sCount[number] - state.blkIndent - 4)
    return " " * depth + _line(state, number)
