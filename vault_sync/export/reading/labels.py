r"""Names of figures, tables, equations and sections as notes write them, and references to them.

The conventions are those of pandoc-crossref (`{#fig:x width=50%}`, `@fig:x`, `[-@eq:x]`), of LaTeX
(`\label{x}`, `\ref{x}`, `\eqref{x}`), and of Obsidian's block ids (`^fig-x`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

FIGURE, TABLE, EQUATION, SECTION = "figure", "table", "equation", "section"
_KINDS = {
    "fig": FIGURE,
    "figure": FIGURE,
    "tbl": TABLE,
    "tab": TABLE,
    "table": TABLE,
    "tableau": TABLE,
    "eq": EQUATION,
    "eqn": EQUATION,
    "equation": EQUATION,
    "sec": SECTION,
    "section": SECTION,
}
_OWN = ("fig", "tbl", "eq", "sec")
_PREFIX = re.compile(rf"({'|'.join(_KINDS)})(?:[:_-]|(?=\d|\Z))", re.IGNORECASE)
_KEY = re.compile(r"([Ff]ig|[Tt]bl|[Tt]ab|[Ee]qn?|[Ss]ec):(?=\w)")
_ITEM = re.compile(
    r"""\s*(?:\#(?P<name>\w[\w:.+/-]*)|(?P<class>\.\w[\w-]*|-)
    |(?P<key>[A-Za-z][\w-]*)=(?P<value>"[^"]*"|'[^']*'|[^\s"'{}]+))(?=\s|\Z)""",
    re.VERBOSE,
)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(px|cm|mm|in|pt|%|)")
_PIXELS = {"px": 1.0, "": 1.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "pt": 96 / 72}
_LINE = 604.8
"""Pixels of a line of the page: 6.3 inches."""


@dataclass(frozen=True)
class CrossReference:
    """A reference to one or several numbered things, as the note writes it."""

    names: tuple[str, ...]
    line: int
    """1-based, in the note's file."""
    form: str = "full"
    """`full` (figure 3), `number` (3) or `brackets` ((3))."""
    capital: bool = False
    before: str = ""
    """Words that stand in the place of `figure`."""
    after: str = ""


@dataclass(frozen=True)
class Attributes:
    """What stands in the braces behind a picture, a caption, a formula or a heading."""

    name: str = ""
    width: str = ""
    """In pixels, 96 to an inch; empty where it says none."""
    unnumbered: bool = False


def kind_of(name: str) -> str:
    """Return what the beginning of a name says: figure, table, equation, section, or nothing.

    Example: ``fig:x``, ``fig4`` and ``Fig-x`` are of a figure, ``figment`` of nothing.
    """
    match = _PREFIX.match(name)
    return _KINDS[match[1].lower()] if match else ""


def canonical(name: str) -> str:
    """Return a name with the prefix that pandoc-crossref has for its kind: `tab:x` is `tbl:x`."""
    prefix, colon, rest = name.partition(":")
    kind = _KINDS.get(prefix.lower(), "")
    if not (colon and kind):
        return name
    return f"{next(known for known, of in _KINDS.items() if of == kind and known in _OWN)}:{rest}"


def block_names(name: str) -> list[str]:
    """Return the block ids that a reference may mean: `tbl:x` means `^tbl-x`, `^tab-x`, `^tabx`."""
    prefix, colon, rest = name.lower().partition(":")
    kind = _KINDS.get(prefix, "")
    if not (colon and kind):
        return [name.lower()]
    prefixes = [prefix, *(known for known, of in _KINDS.items() if of == kind and known != prefix)]
    return [f"{known}{sign}{rest}" for sign in ("-", "") for known in prefixes]


def is_reference(key: str) -> bool:
    """Whether the key of an `@key` names something numbered rather than a work."""
    return _KEY.match(key) is not None


def reference_name(key: str) -> tuple[str, bool]:
    """Return the name that a key means, and whether it begins with a capital."""
    return key[0].lower() + key[1:], key[0].isupper()


def parse_attributes(text: str) -> Attributes | None:
    """Read `{#fig:x .class width=50%}`; None where the braces hold anything else."""
    inner = text.strip()[1:-1].strip()
    place, name, width, unnumbered = 0, "", "", False
    while place < len(inner):
        match = _ITEM.match(inner, place)
        if match is None or "--" in match[0]:
            return None
        place = match.end()
        name = match["name"] or name
        unnumbered = unnumbered or match["class"] in ("-", ".unnumbered")
        if match["key"] == "width":
            width = _pixels(match["value"].strip("\"'"))
    return Attributes(name, width, unnumbered) if inner else None


def _pixels(length: str) -> str:
    match = _LENGTH.fullmatch(length)
    if match is None:
        return ""
    per_unit = _LINE / 100 if match[2] == "%" else _PIXELS[match[2]]
    return str(max(1, round(float(match[1]) * per_unit)))
