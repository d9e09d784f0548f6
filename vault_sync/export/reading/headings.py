"""Headings that links name: Obsidian drops letters from links, people drop more of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vault_sync.export.reading.link_index import fold
from vault_sync.export.reading.pandoc_ast import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vault_sync.export.reading.pandoc_ast import Node

_DROPPED = re.compile(r"[!\"#$%&()*+,.:;<=>?@^`{|}~/\[\]\\\s]+")
"""What Obsidian takes for a space when it compares a link with a heading (`stripHeading` of its
interface for plugins: https://docs.obsidian.md/Reference/TypeScript+API/stripHeading)."""
_LETTERS = re.compile(r"[^\w]+|_")


def heading_key(text: str) -> str:
    """Reduce a heading to what a link to it must say, as Obsidian does; `^block` stays."""
    if text.startswith("^"):
        return text.lower()
    return _DROPPED.sub(" ", fold(text)).strip()


def loose_key(text: str) -> str:
    """Reduce a heading to its letters and digits."""
    return _LETTERS.sub("", fold(text))


def headings_of(blocks: Sequence[Node]) -> list[tuple[int, str]]:
    """Return level and text of the headings of a note."""
    return [(node["c"][0], plain(node["c"][2])) for node in blocks if node["t"] == "Header"]


def locate(headings: Sequence[tuple[int, str]], place: str) -> list[int]:
    """Return where the headings (level, text) are that PLACE may mean: one, several, or none.

    `A#B` is B below A. Of headings that agree to the letters that Obsidian compares the first is
    meant, as there; those that only agree in letters and digits are all returned.
    """
    names = [name for name in place.split("#") if name.strip()]
    if not names:
        return []
    for key in (heading_key, loose_key):
        found = _below(headings, [key(name) for name in names], key)
        found = found or _below(headings, [key(names[-1])], key)
        found = found or _below(headings, [key(" ".join(names))], key)
        if found:
            return found[:1] if key is heading_key else found
    return []


def _below(
    headings: Sequence[tuple[int, str]], wanted: list[str], key: Callable[[str], str]
) -> list[int]:
    """Return the headings called by the last of WANTED that stand below those called before it."""
    if not all(wanted):
        return []
    found: list[int] = []
    for number, (level, text) in enumerate(headings):
        if key(text) != wanted[-1]:
            continue
        above = _ancestors(headings, number, level)
        names = iter(key(headings[one][1]) for one in above)
        if all(name in names for name in wanted[:-1]):
            found.append(number)
    return found


def _ancestors(headings: Sequence[tuple[int, str]], number: int, level: int) -> list[int]:
    """Return the headings that heading NUMBER stands below, the highest first."""
    above: list[int] = []
    for earlier in range(number - 1, -1, -1):
        if headings[earlier][0] < level:
            level = headings[earlier][0]
            above.append(earlier)
    return above[::-1]
