"""`thesis report`: what the vault says, kept true."""

from __future__ import annotations

import click

from thesis_cli.groups import Late, LateVerbs

VERBS = {
    "sync": Late(
        "thesis_cli.commands.report.sync:sync", "Bring the chapters of the vault up to date."
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LateVerbs, late=VERBS)
def report() -> None:
    """Keep the chapters of the vault true."""
