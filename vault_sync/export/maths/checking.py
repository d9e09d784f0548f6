"""Which formulas pandoc can't read: it would print their TeX in the place of mathematics."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from vault_sync.export.maths.tokens import is_word, split
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.pandoc_ast import API, block, div

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault_sync.export.reading.pandoc_ast import Node

_WITHIN = frozenset(("\\left", "\\middle", "\\right", "\\begin", "\\end", "\\hline", "\\cr"))
"""Commands that are known only beside others."""
_PART = re.compile(r'<div id="formula-(\d+)">(.*?)</div>', re.DOTALL)


def find_unreadable(formulas: Iterable[str]) -> dict[str, str]:
    r"""Return each formula that pandoc can't read -> why; it is asked once for all of them.

    Example: ``find_unreadable([r"\nonsense"])`` says that it has an unknown `\nonsense`.

    Raises:
        UnavailableError: pandoc is missing or fails.
    """
    reasons = _ask(dict.fromkeys(formulas))
    words = {text: _words(text) for text in reasons}
    unknown = _unknown({word for row in words.values() for word in row})
    for text, row in words.items():
        found = next((word for word in row if word in unknown), None)
        reasons[text] = f"has an unknown {found}" if found else reasons[text]
    return reasons


def _unknown(words: set[str]) -> set[str]:
    """Return those of WORDS that pandoc reads with no number of arguments."""
    forms = {word: [f"{word}{'{x}' * count}" for count in range(4)] for word in sorted(words)}
    failed = _ask([form for row in forms.values() for form in row])
    return {word for word, row in forms.items() if all(form in failed for form in row)}


def _words(text: str) -> list[str]:
    return [part for part in split(text) if is_word(part) and part not in _WITHIN]


def _ask(formulas: Iterable[str]) -> dict[str, str]:
    distinct = list(formulas)
    if not distinct:
        return {}
    blocks = [_part(number, text) for number, text in enumerate(distinct)]
    tree = {"pandoc-api-version": API, "meta": {}, "blocks": blocks}
    with tempfile.TemporaryDirectory(prefix="thesis-export-") as place:
        folder = Path(place)
        (folder / "formulas.json").write_text(json.dumps(tree), encoding="utf-8")
        arguments = ["--from", "json", "--to", "html5", "--mathml", "--wrap=none", "formulas.json"]
        output, warnings = pandoc.run_pandoc(arguments, folder)
    parts = _PART.findall(output.decode("utf-8"))
    failed = [distinct[int(number)] for number, text in parts if "<math" not in text]
    told = {_formula_of(warning): _reason(warning) for warning in warnings}
    return {text: told.get("".join(text.split()), "can't be read") for text in failed}


def _part(number: int, text: str) -> Node:
    return div(
        [block("Plain", [{"t": "Math", "c": [{"t": "InlineMath"}, text]}])], f"formula-{number}"
    )


def _formula_of(warning: str) -> str:
    match = re.match(r"Could not convert TeX math (.*?), rendering as TeX:", warning)
    return "".join(match[1].split()) if match else ""


def _reason(warning: str) -> str:
    """Word the fault that pandoc's parser reports."""
    unknown = re.search(r"unexpected control sequence (\\(?:[A-Za-z]+|.))", warning)
    if unknown:
        return f"has an unknown {unknown[1]}"
    other = re.search(r"unexpected (\"[^\"]*\"|'[^']*'|end of input|\S+)", warning)
    if other and other[1] in ("end of input", "eof"):
        return "ends too early"
    return f"has a {other[1]} that can't be read" if other else "can't be read"
