r"""Macros of one's own: `\newcommand`, `\def`, `\DeclareMathOperator` and their like."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault_sync.export.maths.tokens import TexReader, is_word, join, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_ARGUMENTS = 9
"""What TeX can count."""
_DOCUMENT_COMMAND = re.compile(r"\s*(?:O\{(?P<default>[^{}]*)\}|(?P<bare>o))?\s*(?P<rest>[m\s]*)")


@dataclass(frozen=True)
class Macro:
    """A macro: what stands for its name and its arguments."""

    name: str
    r"""With its backslash: `\R`."""
    body: str
    """`#1` stands for the first argument."""
    arity: int = 0
    default: str | None = None
    """Of the first argument, which is optional then."""
    final: bool = False
    r"""Whether the body stays as it is: `\let` gives a command a second name, for good."""

    def __call__(self, reader: TexReader) -> str | None:
        """Return the body with the arguments that READER finds; None where one is missing."""
        arguments: list[str] = []
        if self.default is not None and self.arity:
            given = reader.bracketed()
            arguments.append(self.default if given is None else given)
        while len(arguments) < self.arity:
            argument = reader.argument()
            if argument is None:
                return None
            arguments.append(argument)
        return self._filled(arguments)

    def _filled(self, arguments: list[str]) -> str:
        tokens: list[str] = []
        parts = iter(split(self.body))
        for part in parts:
            follower = next(parts, "") if part == "#" else ""
            if follower.isdecimal() and 0 < int(follower) <= len(arguments):
                tokens += split(arguments[int(follower) - 1])
            else:
                tokens += [one for one in (part, follower) if one]
        return join(tokens)


def read_definition(token: str, reader: TexReader) -> Macro | None:
    r"""Read what follows TOKEN, one of `DEFINERS`, in READER; None where it is no definition."""
    place = reader.place
    macro = _DEFINERS[token](reader)
    if macro is None or not is_word(macro.name) or macro.arity > MOST_ARGUMENTS:
        reader.place = place
        return None
    return macro


def read_macros(text: str) -> Iterator[Macro]:
    """Yield the macros that a preamble defines, in its order; the rest of it is passed over."""
    reader = TexReader(split(text))
    while reader.place < len(reader.tokens):
        token = reader.tokens[reader.place]
        reader.place += 1
        macro = read_definition(token, reader) if token in DEFINERS else None
        if macro is not None:
            yield macro


def _command(reader: TexReader) -> Macro | None:
    reader.take("*")
    name = (reader.argument() or "").strip()
    count = reader.bracketed()
    default = reader.bracketed() if count is not None else None
    body = reader.argument()
    if body is None or (count is not None and not count.strip().isdecimal()):
        return None
    return Macro(name, body, int(count or 0), default)


def _document_command(reader: TexReader) -> Macro | None:
    name, arguments, body = (reader.argument() or "").strip(), reader.group(), reader.group()
    match = _DOCUMENT_COMMAND.fullmatch(arguments or "")
    if body is None or match is None:
        return None
    optional = match["default"] is not None or match["bare"] is not None
    arity = match["rest"].count("m") + optional
    return Macro(name, body, arity, (match["default"] or "") if optional else None)


def _plain(reader: TexReader) -> Macro | None:
    r"""Read `\def\name#1#2{…}`; what delimits arguments otherwise is not understood."""
    name = reader.argument() or ""
    arity = 0
    while reader.take("#"):
        arity += 1
        if not reader.take(str(arity)):
            return None
    body = reader.group()
    return None if body is None else Macro(name, body, arity)


def _alias(reader: TexReader) -> Macro | None:
    name = reader.argument() or ""
    reader.take("=")
    meaning = reader.argument()
    return None if meaning is None else Macro(name, meaning, final=True)


def _operator(reader: TexReader) -> Macro | None:
    star = "*" if reader.take("*") else ""
    name, words = (reader.argument() or "").strip(), reader.argument()
    return None if words is None else Macro(name, f"\\operatorname{star}{{{words}}}")


def _delimiters(reader: TexReader) -> Macro | None:
    name, left, right = ((reader.argument() or "").strip() for _ in range(3))
    if not (left and right):
        return None
    # The optional argument of such a macro is a size: what is between decides here.
    return Macro(name, f"\\left{left} #2\\right{right}", 2, "")


_DEFINERS: dict[str, Callable[[TexReader], Macro | None]] = {
    "\\newcommand": _command,
    "\\renewcommand": _command,
    "\\providecommand": _command,
    "\\DeclareRobustCommand": _command,
    "\\NewDocumentCommand": _document_command,
    "\\RenewDocumentCommand": _document_command,
    "\\def": _plain,
    "\\gdef": _plain,
    "\\let": _alias,
    "\\DeclareMathOperator": _operator,
    "\\DeclarePairedDelimiter": _delimiters,
}
DEFINERS = frozenset(_DEFINERS)
"""Control words that define a macro."""
