"""`thesis compare`: runs side by side, with the uncertainty of their differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.complete import complete_run
from thesis_cli.groups import Verb, pass_session
from thesis_cli.output import json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.workspace import Workspace
    from thesis_cli.session import Session

FORMATS = ("table", "md", "latex", "csv", "json")


@click.command(cls=Verb)
@click.argument("selectors", nargs=-1, required=True, shell_complete=complete_run)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print it."
)
@click.option("--to", type=click.Choice(["vault"]), help="Write it into the comparison chapter.")
@click.option("--only-changed", is_flag=True, help="Leave out metrics that are equal everywhere.")
@click.option("--force", is_flag=True, help="Compare across protocols or data, and say so.")
@json_option
@pass_session
def compare(
    session: Session,
    *,
    selectors: tuple[str, ...],
    form: str,
    to: str | None,
    only_changed: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Compare runs, metric by metric.

    Differences come with 95 % intervals where the runs kept match records of the same images.
    """


def compared(workspace: Workspace, selectors: Sequence[str], *, to_vault: bool) -> dict[str, Any]:
    """Compare runs."""
    return {}
