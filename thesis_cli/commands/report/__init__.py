"""`thesis report`: what the vault says, kept true."""

from __future__ import annotations

import click

from thesis_cli.command_table import Late
from thesis_cli.groups import LateVerbs

VERBS = {
    "sync": Late(
        "thesis_cli.commands.report.sync:sync", "Bring the chapters of the vault up to date."
    ),
    "weekly": Late(
        "thesis_cli.commands.report.weekly:weekly", "Write a note for the supervisor's meeting."
    ),
    "list": Late(
        "thesis_cli.commands.report.templates:list_templates",
        "List the templates, and where their blocks live in the vault.",
    ),
    "show": Late(
        "thesis_cli.commands.report.templates:show", "Print what a block or template gives now."
    ),
    "new": Late("thesis_cli.commands.report.templates:new", "Start a template of your own."),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LateVerbs, late=VERBS)
def report() -> None:
    """Keep the chapters of the vault true."""
