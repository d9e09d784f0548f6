"""Commands that other distributions add, through the entry-point group `thesis.commands`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from thesis_cli.session import Session

GROUP = "thesis.commands"


@cache
def names() -> dict[str, str]:
    """Name each plugin command with the distribution it comes from; loads none of them."""
    from importlib.metadata import entry_points

    return {
        entry.name: entry.dist.name if entry.dist else entry.value
        for entry in entry_points(group=GROUP)
    }


def load(name: str, session: Session) -> click.Command | None:
    """Load the plugin command NAME; a broken one warns and counts as absent."""
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP, name=name):
        try:
            command = entry.load()
        except Exception as error:  # noqa: BLE001 - a plugin may fail in any way
            session.warn(f"the command {name!r} of {entry.value} can't be loaded: {error}")
            continue
        if isinstance(command, click.Command):
            return command
        session.warn(f"the command {name!r} of {entry.value} is no click command")
    return None
