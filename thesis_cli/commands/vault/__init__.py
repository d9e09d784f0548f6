"""`thesis vault`: what stands between the vault and the records, and what a student decides."""

from __future__ import annotations

import click

from thesis_cli.command_table import Late
from thesis_cli.groups import LateVerbs

VERBS: dict[str, Late] = {
    "status": Late("thesis_cli.commands.vault.status:status", "Show how the vault stands."),
    "take": Late(
        "thesis_cli.commands.vault.take:take", "Settle conflicts: your version, or the new one."
    ),
    "adopt": Late(
        "thesis_cli.commands.vault.adopt:adopt", "Make a generated block your own prose."
    ),
    "undo": Late(
        "thesis_cli.commands.vault.undo:undo",
        "Take back what the last sync wrote, byte by byte.",
    ),
    "pull": Late(
        "thesis_cli.commands.vault.pull:pull",
        "Take over what you answered in the notes of the runs.",
    ),
    "export": Late(
        "thesis_cli.commands.vault.export:export",
        "Export the thesis, or some NOTES and folders, as one document.",
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LateVerbs, late=VERBS)
def vault() -> None:
    """Look after the vault."""
