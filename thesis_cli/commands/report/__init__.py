"""`thesis report`: what the vault says, kept true."""

from __future__ import annotations

import click

from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import LazyGroup

VERBS = {
    "sync": LazyCommand(
        "thesis_cli.commands.report.sync:sync", "Bring the chapters of the vault up to date."
    ),
    "weekly": LazyCommand(
        "thesis_cli.commands.report.weekly:weekly", "Write a note for the supervisor's meeting."
    ),
    "list": LazyCommand(
        "thesis_cli.commands.report.templates:list_templates",
        "List the templates, and where their blocks live in the vault.",
    ),
    "show": LazyCommand(
        "thesis_cli.commands.report.templates:show", "Print what a block or template gives now."
    ),
    "new": LazyCommand("thesis_cli.commands.report.templates:new", "Start a template of your own."),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LazyGroup, late=VERBS)
def report() -> None:
    """Keep the chapters of the vault true."""
