"""`thesis runs`: what was run, what it found, and what the student says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import LazyGroup

if TYPE_CHECKING:
    from experiments.records.store import Store
    from thesis_cli.session import Session

VERBS = {
    "list": LazyCommand("thesis_cli.commands.runs.listing:list_runs", "List the runs."),
    "show": LazyCommand("thesis_cli.commands.runs.records:show", "Show the record of one run."),
    "diff": LazyCommand(
        "thesis_cli.commands.runs.diff:diff", "Tell in what two runs were made differently."
    ),
    "label": LazyCommand("thesis_cli.commands.runs.label:label", "Give a run names of your own."),
    "note": LazyCommand("thesis_cli.commands.runs.note:note", "Say what you make of a run."),
    "verify": LazyCommand(
        "thesis_cli.commands.runs.verify:verify",
        "Check that sealed records are as they were sealed.",
    ),
    "stamp": LazyCommand(
        "thesis_cli.commands.runs.stamp:stamp", "Have an authority put its time on seals."
    ),
    "rm": LazyCommand("thesis_cli.commands.runs.removal:rm", "Take runs out of the thesis."),
    "restore": LazyCommand("thesis_cli.commands.runs.removal:restore", "Bring removed runs back."),
    "reindex": LazyCommand(
        "thesis_cli.commands.runs.records:reindex", "Make the index anew from the records."
    ),
}
"""Verb -> where it is."""


@click.group(cls=LazyGroup, late=VERBS)
def runs() -> None:
    """List, show, verify and annotate runs."""


def store(session: Session) -> Store:
    """Open the workspace's runs."""
    from experiments.records.store import Store

    return Store(session.workspace)
