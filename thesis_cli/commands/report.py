"""`thesis report`: what the vault says, kept true."""

from __future__ import annotations

import click

from thesis_cli.groups import Verbs


@click.group(cls=Verbs)
def report() -> None:
    """Keep the chapters of the vault true."""
