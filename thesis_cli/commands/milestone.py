"""`thesis milestone`: the claims of the thesis against what was measured."""

from __future__ import annotations

import click

from thesis_cli.groups import Verbs


@click.group(cls=Verbs)
def milestone() -> None:
    """Check the thesis's claims."""
