"""Commands as a person types them."""

from __future__ import annotations

import re

PLAIN = re.compile(r"[\w./=:+@-]+")
"""What no shell takes apart: zsh reads brackets as patterns, PowerShell commas as lists."""


def quoted(text: str) -> str:
    """Return TEXT as one word of a command line.

    In double quotes, which every shell knows, unless it holds what these don't keep.
    """
    if PLAIN.fullmatch(text):
        return text
    mark = "'" if any(one in text for one in '"$`') else '"'
    return f"{mark}{text}{mark}"
