"""Raised and lowered digits as LaTeX can set them: its usual letters have few of Unicode's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.pandoc_ast import string

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node

_PLAIN = "0123456789+\u2212=()n"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ"
_LOWERED = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙ"
_KINDS = {"Superscript": _RAISED, "Subscript": _LOWERED}
_RUN = re.compile(f"([{_RAISED}]+)|([{_LOWERED}]+)")
_LATIN = re.compile("[¹²³]+")
"""Raised digits that every font has."""


def raise_letters(node: Node) -> list[Node]:
    """Return an inline with its runs of raised and lowered digits as pandoc raises them."""
    if node["t"] != "Str" or not _RUN.search(node["c"]):
        return [node]
    pieces: list[Node] = []
    end = 0
    for run in _RUN.finditer(node["c"]):
        if _LATIN.fullmatch(run[0]):
            continue
        kind = "Superscript" if run[1] else "Subscript"
        letters = run[0].translate(str.maketrans(_KINDS[kind], _PLAIN))
        before = node["c"][end : run.start()]
        pieces += [string(before)] if before else []
        pieces.append({"t": kind, "c": [string(letters)]})
        end = run.end()
    rest = node["c"][end:]
    return [*pieces, string(rest)] if rest else pieces
