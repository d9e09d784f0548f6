"""`thesis export`: a network's files, the package around them, and whether a package holds."""

from __future__ import annotations

import click

from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import DefaultGroup

VERBS: dict[str, LazyCommand] = {
    "files": LazyCommand(
        "thesis_cli.commands.export.files:export_files",
        "Write a network for other programs; what `thesis export` does without a verb.",
    ),
    "package": LazyCommand(
        "thesis_cli.commands.export.package:package",
        "Write a folder to deploy: models, model card, examples, services, guide.",
    ),
    "verify": LazyCommand(
        "thesis_cli.commands.export.verify:verify",
        "Check that a package is what was packaged, and finds the same faces.",
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=DefaultGroup, late=VERBS, default="files")
def export() -> None:
    """Write a network for other programs, or a package to deploy; check one."""
