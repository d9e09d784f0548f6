"""Letters that no font here has: a PDF would show boxes in their place."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from vault_sync.export.reading.pandoc_ast import find, plain
from vault_sync.export.reading.titles import is_emoji

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vault_sync.export.reading.link_index import LinkIndex
    from vault_sync.export.reading.pandoc_ast import Node

_ALWAYS = ((0x0000, 0x05FF), (0x1E00, 0x25FF), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xFB00, 0xFB06))
"""Latin, Greek, Cyrillic and Hebrew letters, punctuation and the signs of mathematics: typst brings
fonts for these along."""
_FONTS = {
    "CJK": "Noto Serif CJK SC",
    "IDEOGRAPHIC": "Noto Serif CJK SC",
    "FULLWIDTH": "Noto Serif CJK SC",
    "HIRAGANA": "Noto Serif CJK JP",
    "KATAKANA": "Noto Serif CJK JP",
    "KATAKANA-HIRAGANA": "Noto Serif CJK JP",
    "HANGUL": "Noto Serif CJK KR",
    "ARABIC": "Noto Naskh Arabic",
    "EMOJI": "Noto Emoji",
    "SIGNS": "Noto Sans Symbols 2",
}
"""Script -> a free font that has it; of other scripts `Noto Serif SCRIPT` does."""
SHOWN = 5
"""Letters that a warning shows."""


def find_missing(index: LinkIndex, notes: Sequence[str], blocks: list[Node]) -> list[str]:
    """Return a warning for each script of BLOCKS, those of NOTES, with letters in no font here."""
    text = plain(blocks) + "".join(plain(note["c"]) for note in find(blocks, "Note"))
    missing = uncovered(text, _installed())
    scripts: dict[str, list[str]] = {}
    for letter in sorted(missing, key=text.index):
        scripts.setdefault(_script(letter), []).append(letter)
    return [_warning(index, notes, *script) for script in scripts.items()]


def uncovered(text: str, fonts: Iterable[Path]) -> set[str]:
    """Return the letters of TEXT that none of FONTS has, besides those that are always there.

    Fonts are read one after the other until nothing is missing; most texts need none.
    """
    missing = {letter for letter in text if _is_rare(letter)}
    for font in fonts if missing else ():
        missing -= {chr(number) for number in _letters_of(font) & set(map(ord, missing))}
        if not missing:
            break
    return missing


def bundled() -> Path:
    """Return DejaVu Sans, which matplotlib brings along."""
    import matplotlib as mpl  # noqa: PLC0415 - slow to import

    return Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


def _warning(index: LinkIndex, notes: Sequence[str], script: str, letters: list[str]) -> str:
    place = next(
        (f"{found}: " for letter in letters if (found := _place(index, notes, letter))), ""
    )
    shown = " ".join(letters[:SHOWN])
    more = f" and {len(letters) - SHOWN} letters more" if len(letters) > SHOWN else ""
    font = _FONTS.get(script, f"Noto Serif {script.title()}")
    return f"{place}no font here has {shown}{more}: boxes stand there; install the font {font}"


def _place(index: LinkIndex, notes: Sequence[str], letter: str) -> str:
    """Return note and line where a letter stands first."""
    for path in notes:
        text, first = index.body(path)
        found = text.find(letter)
        if found >= 0:
            return f"{path}:{first + text.count(chr(10), 0, found)}"
    return ""


def _is_rare(letter: str) -> bool:
    number = ord(letter)
    if any(first <= number <= last for first, last in _ALWAYS) or 0x1D400 <= number <= 0x1D7FF:
        return False
    return unicodedata.category(letter)[0] in "LNPS" and not 0xFE00 <= number <= 0xFE0F


def _script(letter: str) -> str:
    if is_emoji(letter):
        return "EMOJI"
    name = unicodedata.name(letter, "SIGNS").partition(" ")[0]
    return name if name in _FONTS or unicodedata.category(letter)[0] == "L" else "SIGNS"


def _installed() -> Iterator[Path]:
    """Yield a font of each family that typst finds, and the one that it brings along itself."""
    import typst  # noqa: PLC0415 - an extra, and only PDF needs it

    yield bundled().with_name("DejaVuSansMono.ttf")
    if not hasattr(typst, "Fonts"):  # before 0.15
        from matplotlib import font_manager  # noqa: PLC0415 - slow to import

        yield from map(Path, font_manager.findSystemFonts())
        return
    families: dict[str, Path] = {}
    for font in typst.Fonts().fonts():
        if font.path is not None:
            families.setdefault(font.family, Path(font.path))
    yield from families.values()


@cache
def _letters_of(font: Path) -> frozenset[int]:
    """Return the numbers of the letters that a font has; none where it can't be read."""
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415 - slow to import

    try:
        return frozenset(FT2Font(str(font)).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()
