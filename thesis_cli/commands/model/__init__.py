"""`thesis model`: the networks, what they are made of, and weights that come from elsewhere."""

from __future__ import annotations

import click

from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import LazyGroup

VERBS: dict[str, LazyCommand] = {
    "list": LazyCommand(
        "thesis_cli.commands.model.listing:list_models",
        "List the networks with their size, their cost and their trained weights.",
    ),
    "show": LazyCommand(
        "thesis_cli.commands.model.show:show", "Show what a network is made of, and draw it."
    ),
    "validate": LazyCommand(
        "thesis_cli.commands.model.validate:validate",
        "Check that networks count, compute, learn and export as they must.",
    ),
    "tune": LazyCommand(
        "thesis_cli.commands.model.tune:tune",
        "Find the width (or another number) that gives a network the size you want.",
    ),
    "import": LazyCommand(
        "thesis_cli.commands.model.taking:import_weights",
        "Bring a published checkpoint into the workspace.",
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LazyGroup, late=VERBS)
def model() -> None:
    """Know the networks and import weights."""
