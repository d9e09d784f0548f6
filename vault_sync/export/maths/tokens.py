"""TeX as a row of tokens, and a reader of the arguments in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOKEN = re.compile(r"\\[A-Za-z]+|\\[\s\S]|%[^\n]*(?:\n|\Z)|\s+|[\s\S]")
_WORD = re.compile(r"\\[A-Za-z]+\Z")
_PAIRS = {"[": "]", "(": ")", "|": "|"}


def split(text: str) -> list[str]:
    r"""Split TeX into control sequences, comments, spaces and letters; `join` undoes it.

    Example: ``\frac ab`` is ``["\\frac", " ", "a", "b"]``.
    """
    return _TOKEN.findall(text)


def join(tokens: Iterable[str]) -> str:
    """Write tokens as TeX; a control word keeps apart from a letter after it."""
    parts: list[str] = []
    for token in tokens:
        if token[:1].isalpha() and parts and is_word(parts[-1]):
            parts.append(" ")
        parts.append(token)
    return "".join(parts)


def is_word(token: str) -> bool:
    r"""Whether a token is a control word, such as `\alpha`."""
    return _WORD.match(token) is not None


def is_blank(token: str) -> bool:
    """Whether a token is white space or a comment."""
    return token.isspace() or token.startswith("%")


class TexReader:
    """Reads arguments from tokens, beginning at a place; each method moves behind what it read."""

    def __init__(self, tokens: list[str], place: int = 0) -> None:
        self.tokens = tokens
        self.place = place

    def peek(self) -> str:
        """Return the next token that is no space; empty at the end."""
        place = self._after_blanks()
        return self.tokens[place] if place < len(self.tokens) else ""

    def argument(self) -> str | None:
        """Read a group in braces, without them, or one token; None where there is neither."""
        part = self.peek()
        if part in ("", "}"):
            return None
        if part == "{":
            return self._until("{", "}")
        self.place = self._after_blanks() + 1
        return part

    def group(self) -> str | None:
        """Read a group in braces; None where there is none."""
        return self.argument() if self.peek() == "{" else None

    def bracketed(self, opening: str = "[") -> str | None:
        """Read what stands between OPENING, `[`, `(` or `|`, and its end; None without one."""
        return self._until(opening, _PAIRS[opening]) if self.peek() == opening else None

    def take(self, part: str) -> bool:
        """Read PART where it is the next one."""
        if self.peek() != part:
            return False
        self.place = self._after_blanks() + 1
        return True

    def line(self) -> str:
        r"""Read what is left of the group, the cell or the line."""
        start, depth = self.place, 0
        while self.place < len(self.tokens):
            part = self.tokens[self.place]
            opens = part in ("{", "\\begin", "\\left")
            closes = part in ("}", "\\end", "\\right")
            if depth == 0 and (closes or part in ("&", "\\\\", "\\cr", "\\middle")):
                break
            depth += opens - closes
            self.place += 1
        return join(self.tokens[start : self.place])

    def _after_blanks(self) -> int:
        place = self.place
        while place < len(self.tokens) and is_blank(self.tokens[place]):
            place += 1
        return place

    def _until(self, opening: str, closing: str) -> str | None:
        """Read a balanced pair; None, and nothing read, where it is never closed."""
        start = self._after_blanks() + 1
        depth, braces, place = 1, 0, start
        while place < len(self.tokens):
            part = self.tokens[place]
            if braces == 0 and part == closing:
                depth -= 1
            elif braces == 0 and part == opening:
                depth += 1
            elif part in "{}":
                braces += 1 if part == "{" else -1
            if depth == 0:
                self.place = place + 1
                return join(self.tokens[start:place])
            if braces < 0:
                return None
            place += 1
        return None
