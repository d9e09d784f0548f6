"""`thesis config`: the settings in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.grid import Grid
from thesis_cli.groups import CommandGroup, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.group(cls=CommandGroup)
def config() -> None:
    """Show the settings and their origin."""


@config.command()
@click.argument("keys", nargs=-1)
@click.option("--origin", is_flag=True, help="Tell where each value comes from.")
@json_option
@pass_session
def show(session: Session, keys: tuple[str, ...], origin: bool, as_json: bool) -> None:
    """Show the settings in force: all, or those named KEYS.

    A flag wins over THESIS_*, that over thesis.toml, that over the user's own file.
    """
    del as_json
    settings = session.workspace.settings
    data = [
        {"key": key, "value": settings[key], "origin": settings.origin(key)}
        for key in (keys or sorted(settings.values))
    ]
    emit(session, "config-show", data, lambda rows: view(rows, origin=origin))


def view(rows: list[dict[str, Any]], *, origin: bool) -> list[Block]:
    """Tabulate the settings."""
    columns = ["setting", "~value", *(["~origin"] if origin else [])]
    names = ["key", "value", *(["origin"] if origin else [])]
    return [Grid(columns, [[as_text(row[name]) for name in names] for row in rows])]


def as_text(value: Any) -> str:
    """Write a value on one line: the entries of a list or a table one after the other."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {as_text(inner)}" for key, inner in value.items() if inner)
    if isinstance(value, list | tuple):
        return ", ".join(as_text(inner) for inner in value)
    return str(value)
