"""`thesis vault`: what stands between the vault and the records, and what a student decides."""

from __future__ import annotations

import click

from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import LazyGroup

VERBS: dict[str, LazyCommand] = {
    "status": LazyCommand("thesis_cli.commands.vault.status:status", "Show how the vault stands."),
    "take": LazyCommand(
        "thesis_cli.commands.vault.take:take", "Settle conflicts: your version, or the new one."
    ),
    "adopt": LazyCommand(
        "thesis_cli.commands.vault.adopt:adopt", "Make a generated block your own prose."
    ),
    "undo": LazyCommand(
        "thesis_cli.commands.vault.undo:undo",
        "Take back what the last sync wrote, byte by byte.",
    ),
    "pull": LazyCommand(
        "thesis_cli.commands.vault.pull:pull",
        "Take over what you answered in the notes of the runs.",
    ),
    "export": LazyCommand(
        "thesis_cli.commands.vault.export:export",
        "Export the thesis, or some NOTES and folders, as one document.",
    ),
    "slides": LazyCommand(
        "thesis_cli.commands.vault.slides:slides",
        "Write an outline of slides into the vault, with the thesis's own figures and numbers.",
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LazyGroup, late=VERBS)
def vault() -> None:
    """Look after the vault."""
