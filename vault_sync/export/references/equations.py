"""Displayed formulas that have a name or a tag, as blocks of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.marks import SPACES, is_mark, strip
from vault_sync.export.reading.pandoc_ast import block, div

if TYPE_CHECKING:
    from vault_sync.export.reading.pandoc_ast import Node

EQUATION = "equation"
"""Class of the division that holds a numbered formula."""
_TAG = re.compile(r"\\tag\*?\{([^{}]*)\}")
_SIGNS = {"dagger": "†", "ddagger": "‡", "star": "*", "ast": "*"}
_SIGN = re.compile(rf"\\({'|'.join(_SIGNS)})(?![A-Za-z])")
_WHOLE = re.compile(r"\s*\\begin\{(equation|displaymath)\*?\}(.*)\\end\{\1\*?\}\s*", re.DOTALL)
_ROWS = re.compile(r"\\(begin|end)\{(align|alignat|gather|multline|eqnarray|flalign)\*?\}")
_INNER = {"gather": "gathered", "multline": "gathered"}


def is_displayed(node: Node) -> bool:
    """Whether a node is a formula on lines of its own."""
    return bool(node["t"] == "Math" and node["c"][0]["t"] == "DisplayMath")


def split(node: Node, following: list[str]) -> list[Node]:
    """Take the named and tagged formulas out of a paragraph, each as a division.

    FOLLOWING are the ids of the marks right after the paragraph: they name the formula it ends in.
    """
    row = node["c"]
    pieces: list[Node] = []
    rest: list[Node] = []
    place = 0
    while place < len(row):
        inline = row[place]
        place += 1
        if not is_displayed(inline):
            rest.append(inline)
            continue
        after, ids = _marks(row, place)
        names = [*ids, *(following if after == len(row) else [])]
        tag = _TAG.search(inline["c"][1])
        if not names and tag is None:
            rest.append(inline)
            continue
        pieces += [block(node["t"], strip(rest))] if strip(rest) else []
        pieces.append(_equation(inline["c"][1], names, _plain(tag[1]) if tag else ""))
        rest, place = [], after
    return [*pieces, *([block(node["t"], strip(rest))] if strip(rest) else [])]


def ends_in_formula(row: list[Node]) -> bool:
    """Whether a row of inlines ends in a displayed formula, and perhaps marks."""
    last = [node for node in row if node["t"] not in SPACES and not is_mark(node)][-1:]
    return bool(last) and is_displayed(last[0])


def _marks(row: list[Node], start: int) -> tuple[int, list[str]]:
    """Return where the marks and spaces after START end, and the ids of the marks."""
    ids: list[str] = []
    place = start
    while place < len(row) and (row[place]["t"] in SPACES or is_mark(row[place])):
        ids += [row[place]["c"][0][0]] if is_mark(row[place]) else []
        place += 1
    return (place, ids) if ids or place == len(row) else (start, ids)


def _plain(tag: str) -> str:
    """Return a tag in letters: it stands outside formulas, too."""
    return _SIGN.sub(lambda sign: _SIGNS[sign[1]], tag).strip("$ ")


def _equation(text: str, ids: list[str], tag: str) -> Node:
    formula = {"t": "Math", "c": [{"t": "DisplayMath"}, _inside(_TAG.sub("", text)).strip()]}
    pairs = {"aliases": " ".join(ids[1:])} if ids[1:] else {}
    pairs |= {"tag": tag} if tag else {}
    return div([block("Para", [formula])], ids[0] if ids else "", EQUATION, **pairs)


def _inside(text: str) -> str:
    """Return a formula that stands within an `equation`: other displays can't be nested in it."""
    whole = _WHOLE.fullmatch(text)
    text = whole[2] if whole else text
    return _ROWS.sub(lambda row: f"\\{row[1]}{{{_INNER.get(row[2], 'aligned')}}}", text)
