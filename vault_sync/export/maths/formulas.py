"""The formulas of the notes: macros expanded; what no program reads, or none may, shown as code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.maths.checking import find_unreadable
from vault_sync.export.maths.definitions import DEFINERS, Macro, read_macros
from vault_sync.export.maths.expansion import EndlessMacroError, Expander
from vault_sync.export.maths.known import known
from vault_sync.export.maths.tokens import is_blank, split
from vault_sync.export.reading.linking import line_of
from vault_sync.export.reading.pandoc_ast import find

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vault_sync.export.maths.expansion import Rule
    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pages import SourcePage, SourcePages
    from vault_sync.export.reading.pandoc_ast import Node

FORMULA = "formula"
"""Class of the code that stands for a formula."""
_ACTS = re.compile(
    r"\\(?:input|include|InputIfFileExists|openin|openout|read|write|immediate|special|catcode"
    r"|csname|usepackage|directlua|lstinputlisting|verbatiminput|includegraphics)(?![A-Za-z])"
    r"|\^\^"
)
_NUMBERED = re.compile(r"\\(?:tag\s*\*?|label)\s*\{[^{}]*\}")
"""What numbers a formula; in a line LaTeX stops at it."""
_REFERRING = re.compile(r"\\(?:eqref|ref|autoref|[cC]ref)\{[^{}]*\}")
"""What refers to another formula; its number is put there once all are counted."""
_DEFINES = re.compile("|".join(map(re.escape, sorted(DEFINERS))))
LONGEST = 60
"""Letters of a formula that a warning shows."""


class Formulas:
    """What becomes of each formula of the notes; warnings name note and line."""

    def __init__(
        self, index: LinkIndex, pages: SourcePages, preamble: str, warn: Callable[[str], None]
    ) -> None:
        """Expand the formulas of PAGES with the macros of PREAMBLE and of the notes.

        Raises:
            UnavailableError: pandoc is missing or fails.
        """
        self.index = index
        self.warn = warn
        self.expanded: dict[tuple[str, str], str] = {}
        """(note, formula as it is written) -> the formula without macros."""
        self.faults: dict[tuple[str, str], str] = {}
        """(note, formula as it is written) -> why it is shown as code."""
        texts = {page.path: _texts(page) for page in pages.rows}
        shared = _shared_rules(preamble, [one for row in texts.values() for one in row])
        for path, row in texts.items():
            self._expand(path, row, shared)
        plain = {text: _REFERRING.sub(r"\\text{1}", text) for text in self.expanded.values()}
        unreadable = find_unreadable([text for text in plain.values() if text.strip()])
        for place, text in self.expanded.items():
            if plain[text] in unreadable:
                self.faults.setdefault(place, unreadable[plain[text]])

    def formula_rewriter(self, page: SourcePage) -> Callable[[list[Node]], list[Node]]:
        """Return the function that puts PAGE's formulas without macros into a row of inlines."""

        def change(row: list[Node]) -> list[Node]:
            return [
                new
                for node in row
                for new in (self._changed(page, node) if node["t"] == "Math" else [node])
            ]

        return change

    def block_rewriter(self, page: SourcePage) -> Callable[[list[Node]], list[Node]]:
        """Return the function that tidies PAGE's blocks: code alone is a block, nothing is none."""
        del page

        def change(row: list[Node]) -> list[Node]:
            return [_as_block(node) for node in row if node["t"] != "Para" or node["c"]]

        return change

    def _expand(self, path: str, texts: list[str], shared: Mapping[str, Rule]) -> None:
        expander = Expander(shared)
        for text in texts:
            try:
                self.expanded[path, text] = expander.expand(text)
            except EndlessMacroError as error:
                self.faults[path, text] = str(error)

    def _changed(self, page: SourcePage, node: Node) -> list[Node]:
        kind, text = node["c"]
        place = (page.path, text)
        made = self.expanded.get(place, text)
        acts = _ACTS.search(text) or _ACTS.search(made)
        fault = f"holds {acts[0]}" if acts else self.faults.get(place, "")
        if not fault:
            made = made if kind["t"] == "DisplayMath" else _NUMBERED.sub("", made)
            return [{"t": "Math", "c": [kind, made]}] if not _is_empty(made) else []
        line = line_of(self.index, page.path, text)
        shown = " ".join(text.split())
        shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
        self.warn(f"{page.path}:{line}: the formula {fault} and is shown as code: {shown}")
        marks = [FORMULA, *(["display"] if kind["t"] == "DisplayMath" else [])]
        return [{"t": "Code", "c": [["", marks, []], text.strip()]}]


def _texts(page: SourcePage) -> list[str]:
    return [node["c"][1] for node in find(page.blocks, "Math")]


def _shared_rules(preamble: str, texts: list[str]) -> Mapping[str, Rule]:
    """Return the rules that hold in every note; MathJax lets a note's macros hold in others too."""
    expander = Expander(known())
    definitions: list[Macro] = list(read_macros(preamble))
    seen = {macro.name for macro in definitions}
    for text in texts:
        if _DEFINES.search(text):
            found = [macro for macro in read_macros(text) if macro.name not in seen]
            definitions += found
            seen |= {macro.name for macro in found}
    for macro in definitions:
        expander.define(macro)
    return expander.rules


def _is_empty(text: str) -> bool:
    return all(is_blank(token) for token in split(text))


def _as_block(node: Node) -> Node:
    """Make a block of code of a paragraph that is nothing but a formula shown as code."""
    content = node["c"] if node["t"] == "Para" else []
    if len(content) == 1 and content[0]["t"] == "Code" and "display" in content[0]["c"][0][1]:
        return {"t": "CodeBlock", "c": [["", [FORMULA], []], content[0]["c"][1]]}
    return node
