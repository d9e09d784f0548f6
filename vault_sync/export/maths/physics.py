"""Commands of braket, physics and mathtools whose arguments have forms of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.maths.tokens import TexReader, join, split

if TYPE_CHECKING:
    from collections.abc import Callable

_ENDS = {"(": ")", "[": "]", "|": "|"}


def _between(left: str, right: str) -> Callable[[TexReader], str | None]:
    r"""Make the rule of `\abs{x}`, `\abs*{x}` and `\abs[\big]{x}`: the content gives the size."""

    def rule(reader: TexReader) -> str | None:
        reader.take("*")
        reader.bracketed()
        content = reader.argument()
        return None if content is None else f"\\left{left} {content}\\right{right}"

    return rule


def _braket(reader: TexReader) -> str | None:
    """`<a|b>` from one argument (braket) or from two (physics)."""
    first = reader.argument()
    if first is None:
        return None
    second = reader.group()
    content = _barred(first) if second is None else f"{first}\\middle|{second}"
    return f"\\left\\langle {content}\\right\\rangle"


def _set(reader: TexReader) -> str | None:
    content = reader.argument()
    if content is None:
        return None
    inner = _barred(content).replace("\\middle|", "\\,\\middle|\\,")
    return f"\\left\\{{{inner}\\right\\}}"


def _barred(content: str) -> str:
    r"""Let the bars outside braces grow: `|` is `\middle|`."""
    depth, tokens = 0, []
    for part in split(content):
        depth += (part == "{") - (part == "}")
        tokens.append("\\middle|" if depth == 0 and part in ("|", "\\vert", "\\mid") else part)
    return "".join(tokens)


def _quantity(reader: TexReader) -> str | None:
    r"""`\qty(x)`, `\qty[x]`, `\qty|x|` and `\qty{x}` of physics; with a unit it is siunitx's."""
    reader.take("*")
    for opening, closing in _ENDS.items():
        content = reader.bracketed(opening)
        if content is not None:
            return f"\\left{opening}{content}\\right{closing}"
    content = reader.group()
    if content is None:
        return None
    if reader.peek() == "{":
        return f"\\SI{{{content}}}"
    return f"\\left\\{{{content}\\right\\}}"


def _derivative(sign: str) -> Callable[[TexReader], str | None]:
    r"""Make the rule of `\dv{f}{x}`, `\dv{x}`, `\dv[n]{f}{x}` and `\pdv{f}{x}{y}`."""

    def rule(reader: TexReader) -> str | None:
        reader.take("*")
        order = reader.bracketed()
        arguments = [reader.argument()]
        while len(arguments) < 3 and reader.peek() == "{":
            arguments.append(reader.group())
        if arguments[0] is None:
            return None
        power = f"^{{{order}}}" if order else ""
        if len(arguments) == 1:
            return f"\\frac{{{sign}{power}}}{{{sign} {arguments[0]}{power}}}"
        if len(arguments) == 2:
            return f"\\frac{{{sign}{power} {arguments[0]}}}{{{sign} {arguments[1]}{power}}}"
        over, first, second = arguments
        return f"\\frac{{{sign}^{{2}} {over}}}{{{sign} {first}\\,{sign} {second}}}"

    return rule


def _differential(reader: TexReader) -> str | None:
    order = reader.bracketed()
    content = reader.group()
    power = f"^{{{order}}}" if order else ""
    return f"\\mathrm{{d}}{power}" + (f" {{{content}}}" if content else "")


def _evaluated(reader: TexReader) -> str | None:
    content = reader.group()
    return None if content is None else f"\\left.{content}\\right|"


def _sides(reader: TexReader) -> str | None:
    r"""`\sideset{_a^b}{_c^d}\sum`: indices before and after a large sign."""
    left, right, sign = reader.group(), reader.group(), reader.argument()
    return None if right is None or sign is None else f"{{}}{left}{sign}{right}"


def _environment(reader: TexReader) -> str | None:
    """Display environments become those that stand within a formula."""
    place = reader.place
    name = reader.group()
    within = _WITHIN.get((name or "").removesuffix("*"))
    if within is None:
        reader.place = place
        return None
    if name and name.startswith("alignat"):
        reader.group()  # the number of columns, which only \begin has
    return within


_WITHIN = {
    "align": "aligned",
    "alignat": "aligned",
    "flalign": "aligned",
    "eqnarray": "aligned",
    "gather": "gathered",
    "multline": "gathered",
    "equation": "",
    "displaymath": "",
    "math": "",
}


def _edge(word: str) -> Callable[[TexReader], str | None]:
    def rule(reader: TexReader) -> str | None:
        within = _environment(reader)
        if within is None:
            return None
        return f"\\{word}{{{within}}}" if within else " "

    return rule


def _verbatim(reader: TexReader) -> str | None:
    r"""`\verb|x|`, between any two equal letters."""
    rest = join(reader.tokens[reader.place :])
    match = re.match(r"([^A-Za-z\s{])(.*?)\1", rest)
    if match is None:
        return None
    reader.place += len(split(match[0]))
    return f"\\texttt{{{match[2]}}}"


def _letter(reader: TexReader) -> str | None:
    r"""`\unicode{x3B1}`, a letter by its number."""
    match = re.fullmatch(r"\s*(?:x([0-9A-Fa-f]{1,6})|(\d{1,7}))\s*", reader.argument() or "")
    if match is None:
        return None
    number = int(match[1], 16) if match[1] else int(match[2])
    return chr(number) if 32 < number < 0x110000 and not 0xD800 <= number < 0xE000 else None


RULES: dict[str, Callable[[TexReader], str | None]] = {
    "\\abs": _between("|", "|"),
    "\\absolutevalue": _between("|", "|"),
    "\\norm": _between("\\|", "\\|"),
    "\\floor": _between("\\lfloor", "\\rfloor"),
    "\\ceil": _between("\\lceil", "\\rceil"),
    "\\braket": _braket,
    "\\Braket": _braket,
    "\\set": _set,
    "\\Set": _set,
    "\\qty": _quantity,
    "\\dv": _derivative("\\mathrm{d}"),
    "\\odv": _derivative("\\mathrm{d}"),
    "\\derivative": _derivative("\\mathrm{d}"),
    "\\pdv": _derivative("\\partial"),
    "\\partialderivative": _derivative("\\partial"),
    "\\fdv": _derivative("\\delta"),
    "\\dd": _differential,
    "\\eval": _evaluated,
    "\\sideset": _sides,
    "\\begin": _edge("begin"),
    "\\end": _edge("end"),
    "\\verb": _verbatim,
    "\\unicode": _letter,
}
"""Command -> its rule."""
