"""What folders are called in a document: without numbers and signs, in its language."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from vault_sync.export.reading.link_index import fold

if TYPE_CHECKING:
    from vault_sync.rendering.words import Words

_NUMBER = re.compile(r"\A\d+(?:\.\d+)*(?:[\s._)-]+|\Z)|\A0\d+(?=\D)")


def folder_title(folder: str, words: Words) -> str:
    """Return the title of a folder, by its last name: `02_revue-de-presse` is `Revue de presse`."""
    whole = folder.rpartition("/")[2]
    name = _signless(_NUMBER.sub("", _signless(whole))) or _signless(whole) or whole
    known = words.name("folder", fold(name).replace(" ", "-").replace("_", "-"))
    if str(known) != fold(name).replace(" ", "-").replace("_", "-"):
        return str(known)
    spaced = re.sub(r"[-_\s]+", " ", name).strip()
    return spaced[:1].upper() + spaced[1:]


def _signless(name: str) -> str:
    """Drop signs that only sort or decorate: `_Notes`, `📊 Results`, `++Drafts`."""
    start = 0
    for character in name:
        if unicodedata.category(character)[0] in "LN" or _opens(character):
            break
        start += 1
    return name[start:].rstrip(" _-")


def _opens(character: str) -> bool:
    """Whether a character opens a bracket or a quotation."""
    return unicodedata.category(character) in ("Ps", "Pi")


def roman(number: int) -> str:
    """Write a number from 1 in Roman numerals."""
    signs = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    text = ""
    for value, sign in signs:
        text += sign * (number // value)
        number %= value
    return text
