"""What is done to a finished workspace, and which verbs must notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change = Callable[[Path], str | None]
    """Changes the workspace in a folder; returns what went wrong at once, where something did."""

VERIFY, COMPARE, MILESTONE, NUMBERS, SYNC, EXPORT = VERBS = (
    "verify",
    "compare",
    "milestone",
    "numbers",
    "sync",
    "export",
)
"""`runs verify`, `compare`, `milestone check`, `check numbers`, `report sync`, `vault export`."""
CLAIM = "small"
"""The claim about v2 that holds in the finished workspace."""


class Impossible(Exception):  # noqa: N818 - no error: the machine or the workspace lacks something
    """It can't be done here."""


@dataclass(frozen=True)
class Attack:
    """Something wrong: each verb of MUST has to refuse it, or to say it."""

    name: str
    change: Change
    must: tuple[str, ...] = VERBS
    compared: tuple[str, str] = ("v1", "v2")
    claim: str = CLAIM
    """The claim that may not pass."""


@dataclass(frozen=True)
class Operation:
    """Something honest: every verb has to answer as before."""

    name: str
    change: Change
    place: str = "thesis"
    """The folder of the copy, from the folder that is made for it."""
