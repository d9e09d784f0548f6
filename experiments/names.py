"""Rules for names of experiments and recipes, and the stages of a run."""

from __future__ import annotations

import re

from featherface.errors import UsageError

NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?")


RESERVED = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")


STAGES = ("train", "evaluate", "benchmark", "export")
"""In the order they run; sealing follows."""


def check_name(name: str) -> str:
    """Return experiment NAME if it can be a folder on every system.

    Raises:
        UsageError: it can't.
    """
    if not NAME.fullmatch(name) or RESERVED.fullmatch(name):
        raise UsageError(
            f"{name!r} can't name an experiment: use letters, digits, '.', '-' and '_', "
            "at most 64, starting with a letter or a digit"
        )
    return name
