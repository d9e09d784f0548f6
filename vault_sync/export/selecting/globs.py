"""Patterns of vault paths: `Chapters/**`, `01-*`, a note, a folder."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from vault_sync.export.reading.link_index import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

_WILD = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]/]+\]")
_MEANINGS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def wild(pattern: str) -> bool:
    """Whether PATTERN holds a sign that stands for others."""
    return _WILD.search(pattern) is not None


def bare(path: str) -> str:
    """Return a path as patterns are compared: folded, without `.md`, slashes forward."""
    return re.sub(r"\.md\Z", "", fold(path.replace("\\", "/").strip("/")))


def names(pattern: str, path: str) -> bool:
    """Whether PATTERN means the note or folder at PATH itself."""
    return _expression(bare(pattern)).fullmatch(bare(path)) is not None


def covers(pattern: str, path: str) -> bool:
    """Whether PATTERN means the note at PATH, or a folder that it lies in."""
    parts = bare(path).split("/")
    ancestors = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
    expression = _expression(bare(pattern))
    return any(expression.fullmatch(ancestor) for ancestor in ancestors)


def covered(patterns: Iterable[str], path: str) -> bool:
    """Whether one of PATTERNS covers PATH."""
    return any(covers(pattern, path) for pattern in patterns)


def place(patterns: Iterable[str], path: str) -> int:
    """Return which of PATTERNS, from 0, is the first to mean PATH itself; their number if none."""
    known = list(patterns)
    return next(
        (number for number, pattern in enumerate(known) if names(pattern, path)), len(known)
    )


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    start = 0
    for match in _WILD.finditer(pattern):
        parts.append(re.escape(pattern[start : match.start()]))
        sign = match[0]
        parts.append(_MEANINGS.get(sign) or f"[{re.escape(sign[1:-1])}]")
        start = match.end()
    parts.append(re.escape(pattern[start:]))
    return re.compile("".join(parts), re.DOTALL)
