"""`thesis check`: whether what the thesis says is still so."""

from __future__ import annotations

import click

from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import LazyGroup

VERBS: dict[str, LazyCommand] = {
    "numbers": LazyCommand(
        "thesis_cli.commands.check.numbers:numbers",
        "Check the numbers in the prose against the records they are bound to.",
    ),
    "bind": LazyCommand(
        "thesis_cli.commands.check.bind:bind", "Bind one number of a note to what it comes from."
    ),
    "quote": LazyCommand(
        "thesis_cli.commands.check.quote:quote", "Print a bound number, ready to be pasted."
    ),
    "baseline": LazyCommand(
        "thesis_cli.commands.check.baseline:baseline",
        "Hold a run against what was published of the baseline.",
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LazyGroup, late=VERBS)
def check() -> None:
    """Check what the thesis says."""
