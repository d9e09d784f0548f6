r"""Formulas of chemistry, `\ce{2H2 + O2 -> 2H2O}`, as mhchem writes them.

Source: https://mhchem.github.io/MathJax-mhchem/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.maths.tokens import TexReader

_ARROWS = {
    "<=>>": "\\rightleftharpoons",
    "<<=>": "\\rightleftharpoons",
    "<-->": "\\leftrightarrow",
    "<=>": "\\rightleftharpoons",
    "<->": "\\leftrightarrow",
    "->": "\\rightarrow",
    "<-": "\\leftarrow",
}
_BONDS = {"-": "-", "=": "=", "#": "\\equiv ", "~": "\\sim ", "...": "\\cdots ", "->": "\\to "}
_PART = re.compile(
    r"""
  (?P<math> \$(?P<inner>[^$]*)\$ )
| (?P<arrow> <=>>|<<=>|<-->|<=>|<->|->|<- )(?P<over>\[[^\]]*\])?(?P<under>\[[^\]]*\])?
| (?P<state> \((?:aq|s|l|g|cr|am)\) )
| (?P<bond> \\bond\{(?P<kind>[^}]*)\} )
| (?P<command> \\[A-Za-z]+ | \\. )
| (?P<script> [\^_](?:\{[^{}]*\}|[0-9.]*[+-]|[0-9]+|[A-Za-z]) )
| (?P<fraction> (?:(?<=\s)|^)\d+/\d+ )
| (?P<count> (?:(?<=[\s+])|^)\d+(?:[.,]\d+)? )
| (?P<index> (?<=[A-Za-z)\]}])\d+ )
| (?P<charge> (?<=[A-Za-z0-9)\]}])[+-](?=\s|$|[)\]]) )
| (?P<gas> (?<=\s)\^(?=\s|$) )
| (?P<solid> (?<=\s)v(?=\s|$) )
| (?P<words> \{[^{}]*\} )
| (?P<letters> [A-Za-z]+ )
| (?P<dot> [*.](?=\s*\d*[A-Z]) )
| (?P<sign> \s*[+=]\s* )
| (?P<space> \s+ )
| (?P<other> [\s\S] )
""",
    re.VERBOSE,
)


def _formula(reader: TexReader) -> str | None:
    content = reader.group()
    return None if content is None else f"{{{write_chemistry(content.strip())}}}"


def write_chemistry(text: str) -> str:
    r"""Return TeX of a formula in mhchem's language.

    Example: ``SO4^2-`` is ``\mathrm{SO}_{4}^{2-}``.
    """
    return "".join(_written(match) for match in _PART.finditer(text)).strip()


def _written(match: re.Match[str]) -> str:
    kind = match.lastgroup or "other"
    if match["arrow"]:
        return _arrow(match)
    if match["math"]:
        return f"{{{match['inner']}}}"
    if match["bond"]:
        return _BONDS.get(match["kind"], "-")
    part = _PARTS.get(kind)
    return part(match[0]) if part else match[0]


def _arrow(match: re.Match[str]) -> str:
    sign = _ARROWS[match["arrow"]]
    over, under = (_label(match[side]) for side in ("over", "under"))
    if over and sign in ("\\rightarrow", "\\leftarrow"):
        below = f"[{under}]" if under else ""
        return f"\\x{sign[1:]}{below}{{{over}}}"
    sign = f"\\overset{{{over}}}{{{sign}}}" if over else sign
    return f" \\underset{{{under}}}{{{sign}}} " if under else f" {sign} "


def _label(text: str | None) -> str:
    return write_chemistry(text[1:-1]) if text else ""


def _script(text: str) -> str:
    inner = text[1:].strip("{}")
    return f"{text[0]}{{{inner}}}" if inner else ""


def _fraction(text: str) -> str:
    over, under = text.split("/")
    return f"\\tfrac{{{over}}}{{{under}}}\\,"


_PARTS: dict[str, Callable[[str], str]] = {
    "state": lambda text: f"\\,\\mathrm{{{text}}}",
    "script": _script,
    "fraction": _fraction,
    "count": lambda text: f"{text}\\,",
    "index": lambda text: f"_{{{text}}}",
    "charge": lambda text: f"^{{{text}}}",
    "gas": lambda _: "\\uparrow ",
    "solid": lambda _: "\\downarrow ",
    "words": lambda text: f"\\text{text}",  # its own braces
    "letters": lambda text: f"\\mathrm{{{text}}}",
    "dot": lambda _: "\\cdot ",
    "sign": lambda text: f" {text.strip()} ",
    "space": lambda _: "\\ ",
    "command": lambda text: f"{text} ",
}

RULES: dict[str, Callable[[TexReader], str | None]] = {"\\ce": _formula, "\\cee": _formula}
"""Command -> its rule."""
