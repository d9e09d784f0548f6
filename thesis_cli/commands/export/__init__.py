"""`thesis export`: a network's files for other programs."""

from __future__ import annotations

import click

from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import DefaultGroup

VERBS: dict[str, LazyCommand] = {
    "files": LazyCommand(
        "thesis_cli.commands.export.files:export_files",
        "Write a network for other programs; what `thesis export` does without a verb.",
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=DefaultGroup, late=VERBS, default="files")
def export() -> None:
    """Write a network to files for other programs."""
