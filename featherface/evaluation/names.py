"""Names of pictures in lists, prediction files and records: `event/stem`, forward slashes."""

from __future__ import annotations

from pathlib import PurePosixPath

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""File name endings, in lower case, that are no part of a picture's name."""


def picture_name(path: str) -> str:
    """Name a picture by its path below the images folder.

    >>> picture_name("0--Parade/0_Parade_1.jpg")
    '0--Parade/0_Parade_1'
    """
    pure = PurePosixPath(path.replace("\\", "/"))
    return str(pure.with_suffix("") if pure.suffix.lower() in PICTURES else pure)


def some(names: list[str], shown: int = 3) -> str:
    """Write the first few of NAMES for a message: `a, b, c and 9 more`."""
    text = ", ".join(names[:shown])
    return f"{text} and {len(names) - shown:,} more" if len(names) > shown else text
