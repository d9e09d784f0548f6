"""Titles made of the names of files and folders."""

from __future__ import annotations

import re
import unicodedata

_ORDER = re.compile(r"\A(?:0\d*|\d{1,2}(?=\s*[._)-]))(?:\.\d{1,2})*[\s._)-]+(?=\S)")
"""A number that only orders files: `01 Data`, `3 - Data`, `2.1_Data`; not `3 networks`."""
_JOINERS = "\u200d\ufe0e\ufe0f\u20e3"
"""What joins and colours the signs of an emoji."""
_EDGES = " _-–—·"


def title_of_note(name: str) -> str:
    """Return the title of a note that has no heading: its name, without what only orders it."""
    bare = without_emoji(name).strip(_EDGES)
    return _ORDER.sub("", bare).strip(_EDGES) or bare or name


def without_emoji(text: str) -> str:
    """Return TEXT without pictures among its letters; other signs, such as ©, stay."""
    kept = "".join(letter for letter in text if not is_emoji(letter) and letter not in _JOINERS)
    return " ".join(kept.split())


def is_emoji(letter: str) -> bool:
    """Whether a letter is a picture, or a part of one."""
    number = ord(letter)
    is_flag_or_skin = 0x1F1E6 <= number <= 0x1F1FF or 0x1F3FB <= number <= 0x1F3FF
    is_picture = unicodedata.category(letter) == "So" and (
        0x1F000 <= number <= 0x1FAFF or 0x2600 <= number <= 0x27BF or 0x2B00 <= number <= 0x2BFF
    )
    return is_flag_or_skin or is_picture
