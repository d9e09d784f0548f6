"""Commands of plain TeX that MathJax still knows: switches of font and size, matrices, roots."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.maths.tokens import join

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault_sync.export.maths.tokens import TexReader

_SIZES = "\\tiny \\scriptsize \\small \\normalsize \\large \\Large \\LARGE \\huge \\Huge"
_FONTS = {
    "\\rm": "\\mathrm",
    "\\bf": "\\mathbf",
    "\\it": "\\mathit",
    "\\sf": "\\mathsf",
    "\\tt": "\\mathtt",
    "\\cal": "\\mathcal",
    "\\frak": "\\mathfrak",
    "\\Bbb": "\\mathbb",
}
_TABLES = {
    "\\matrix": "matrix",
    "\\pmatrix": "pmatrix",
    "\\cases": "cases",
    "\\eqalign": "aligned",
    "\\displaylines": "gathered",
}


def _font(command: str) -> Callable[[TexReader], str | None]:
    """Make the rule of a switch: it holds up to the end of its group."""

    def rule(reader: TexReader) -> str | None:
        content = reader.line().strip()
        return f"{command}{{{content}}}" if content else ""

    return rule


def _table(environment: str) -> Callable[[TexReader], str | None]:
    def rule(reader: TexReader) -> str | None:
        content = reader.group()
        if content is None:
            return None
        rows = re.sub(r"\\cr(?![A-Za-z])", r"\\\\", content).strip().removesuffix("\\\\")
        return f"\\begin{{{environment}}}{rows}\\end{{{environment}}}"

    return rule


def _root(reader: TexReader) -> str | None:
    place = reader.place
    while reader.place < len(reader.tokens) and reader.tokens[reader.place] != "\\of":
        reader.place += 1
    degree = join(reader.tokens[place : reader.place]).strip()
    content = reader.argument() if reader.take("\\of") else None
    return None if content is None else f"\\sqrt[{degree}]{{{content}}}"


def _nothing(reader: TexReader) -> str:
    del reader
    return ""


RULES: dict[str, Callable[[TexReader], str | None]] = {
    **{name: _font(command) for name, command in _FONTS.items()},
    **{name: _table(environment) for name, environment in _TABLES.items()},
    **dict.fromkeys(_SIZES.split(), _nothing),
    "\\root": _root,
}
"""Command -> its rule."""
