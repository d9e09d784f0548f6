"""Paths inside the vault: safe on Windows, macOS and Linux, and never outside of it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

from featherface.errors import RefusedError

LONGEST = 100
"""Bytes of a name in UTF-8, so that a deep folder stays under Windows' 260 characters."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*#^\[\]%\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?")


def safe_name(text: str) -> str:
    """Make TEXT one name of a file or folder; a changed name ends with a short hash of TEXT.

    Example: ``v2@1`` stays as it is, ``a/b`` becomes ``a-b-c14cdd``.
    """
    name = unicodedata.normalize("NFC", text)
    name = _FORBIDDEN.sub("-", name)
    name = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    name = _shorten(name.strip(" ."))
    if name and name == text and not _RESERVED.fullmatch(name):
        return name
    name = f"_{name}" if _RESERVED.fullmatch(name) else name
    return f"{name or 'note'}-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:6]}"


def note_path(text: str, origin: str) -> str:
    """Return the vault-relative path of a note that the user named, `.md` added.

    Raises:
        RefusedError: the path leaves the vault or can't exist everywhere; it names ORIGIN.
    """
    path = text.strip().replace("\\", "/").removesuffix(".md")
    if not is_safe(path):
        raise RefusedError(
            f"{origin}: {text!r} is not a path inside the vault that every system accepts",
            f"write a relative path of plain names in thesis.toml, under {origin}",
        )
    return f"{path}.md"


def is_safe(path: str) -> bool:
    """Whether PATH is relative, stays inside, and is made of names every system accepts."""
    parts = path.split("/")
    return bool(path) and all(_is_safe_part(part) for part in parts)


def parent(path: str) -> str:
    """Return the folder of a vault-relative path; empty for the vault itself."""
    folder = str(PurePosixPath(path).parent)
    return "" if folder == "." else folder


def relative(target: str, note: str) -> str:
    """Return TARGET as seen from the folder of NOTE, with forward slashes.

    Example: ``relative("figures/a.png", "Chapters/Results.md")`` is ``../figures/a.png``.
    """
    here, there = note.split("/")[:-1], target.split("/")
    shared = 0
    while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
        shared += 1
    return "/".join([".."] * (len(here) - shared) + there[shared:])


def _is_safe_part(part: str) -> bool:
    return (
        bool(part)
        and part not in (".", "..")
        and not _FORBIDDEN.search(part)
        and not _RESERVED.fullmatch(part)
        and part == part.strip(" ")
        and not part.startswith(".")
        and not part.endswith(".")
        and len(part.encode("utf-8", "replace")) <= 255 - len("-000000.md")
    )


def _shorten(name: str) -> str:
    encoded = name.encode("utf-8", "replace")[:LONGEST]
    return encoded.decode("utf-8", "ignore").rstrip(" .")
