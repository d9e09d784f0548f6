"""Commands in printed text, spelt as they can be typed where this program was started."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from experiments.wording.shell_quote import PLAIN, at_hand, program

if TYPE_CHECKING:
    from pathlib import Path

OURS = re.compile(r"(?<![\w./\\-])thesis (?=(?P<name>[a-z]+)\b)")
"""The program's name before what may be one of its commands."""


def called(text: str, folder: Path | None = None) -> str:
    """Return TEXT with `thesis COMMAND` as it is typed in FOLDER (default: the current one).

    Only where no shell finds `thesis` by its name, as in an environment that isn't activated.
    """
    own = program(folder)
    if own == "thesis" or not all(PLAIN[shell].fullmatch(own) for shell in at_hand()):
        return text
    from thesis_cli.command_table import COMMANDS

    def typed(match: re.Match[str]) -> str:
        return f"{own} " if match["name"] in COMMANDS else match[0]

    return OURS.sub(typed, text)
