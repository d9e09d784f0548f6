"""`thesis check`: whether what the thesis says is still so."""

from __future__ import annotations

import click

from thesis_cli.command_table import Late
from thesis_cli.groups import LateVerbs

VERBS: dict[str, Late] = {
    "numbers": Late(
        "thesis_cli.commands.check.numbers:numbers",
        "Check the numbers in the prose against the records they are bound to.",
    ),
    "bind": Late(
        "thesis_cli.commands.check.bind:bind", "Bind one number of a note to what it comes from."
    ),
    "quote": Late(
        "thesis_cli.commands.check.quote:quote", "Print a bound number, ready to be pasted."
    ),
    "baseline": Late(
        "thesis_cli.commands.check.baseline:baseline",
        "Hold a run against what was published of the baseline.",
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LateVerbs, late=VERBS)
def check() -> None:
    """Check what the thesis says."""
