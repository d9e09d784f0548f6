"""The `thesis` command."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from thesis_cli.command_table import COMMANDS
from thesis_cli.groups import RootGroup


def show_version(context: click.Context, _: click.Parameter, value: Any) -> None:
    """Print the installed version and stop."""
    if value and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"thesis {version('thesis')}")
        context.exit()


@click.group(cls=RootGroup, late=COMMANDS)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=show_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Every number in the thesis, backed by a sealed run, a citation or a stated target.

    Start with: thesis quickstart demo
    """


def main() -> None:
    """Answer the command line; the console script starts here."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:  # Windows consoles and pipes default to a legacy code page
            reconfigure(encoding="utf-8", errors="backslashreplace")
    if sys.platform == "darwin":  # before PyTorch is loaded: what a Mac's GPU can't, its CPU does
        os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    cli()


if __name__ == "__main__":
    main()
