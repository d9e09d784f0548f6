"""`thesis eval`: how good detections are, what they get wrong, and how that looks."""

from __future__ import annotations

import click

from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import LazyGroup

VERBS = {
    "widerface": LazyCommand(
        "thesis_cli.commands.evaluation.widerface:widerface", "Compute the official APs."
    ),
    "errors": LazyCommand(
        "thesis_cli.commands.evaluation.errors:errors",
        "Count what was missed and found wrongly, by kind of face.",
    ),
    "gallery": LazyCommand(
        "thesis_cli.commands.evaluation.gallery:gallery",
        "Show the worst misses and false alarms as a page or note.",
    ),
}
"""Verb -> where it is."""


@click.group("eval", cls=LazyGroup, late=VERBS)
def evaluation() -> None:
    """Score detections or weights, and see what they get wrong."""
