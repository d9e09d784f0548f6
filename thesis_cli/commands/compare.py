"""`thesis compare`: runs side by side, with the uncertainty of their differences."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from featherface.errors import UsageError
from thesis_cli.complete import complete_run
from thesis_cli.grid import Grid
from thesis_cli.groups import Verb, pass_session
from thesis_cli.output import Block, emit, json_option, write
from thesis_cli.running import synchronise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.compare import Comparison
    from experiments.tables import Cell
    from experiments.workspace import Workspace
    from thesis_cli.session import Session

FORMATS = ("table", "md", "latex", "csv", "json")
"""`table` and the writers of `experiments.tables.FORMATS` (a test keeps the two equal)."""


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

    Differences are to the first run, with 95 % intervals where the runs kept match records of
    the same images; a star marks one whose interval excludes zero. What was aimed at is beside.
    """
    workspace = session.workspace
    found = compared(workspace, selectors, force=force)
    if only_changed:
        found = dataclasses.replace(found, rows=tuple(filter(differs, found.rows)))
    synced = synchronise(session, workspace, found) if to else None
    if as_json or form == "json":
        session.as_json = True
        emit(session, "compare", found.to_json(), lambda _: [])
    elif form == "table":
        emit(session, "compare", found, lambda data: view(data, workspace.language))
    else:
        from experiments.tables import FORMATS as WRITERS

        write(session, WRITERS[form](found.table(workspace.language), workspace.language).rstrip())
    if synced and synced.error:
        raise synced.error


def compared(workspace: Workspace, selectors: Sequence[str], *, force: bool = False) -> Comparison:
    """Compare the runs that SELECTORS name, with what was planned for them beside."""
    from experiments.compare import aims_of
    from experiments.compare import compare as set_side_by_side
    from experiments.store import Store

    store = Store(workspace)
    runs = [store.find(selector) for selector in selectors]
    named = [run.id for run in runs]
    if twice := next((name for name in named if named.count(name) > 1), None):
        raise UsageError(f"{twice} is named twice among {', '.join(selectors)}", "thesis runs list")
    aims = aims_of(runs, workspace.cited)
    return set_side_by_side(runs, references=aims, store=store, force=force)


def differs(row: object) -> bool:
    """Tell whether a metric is not the same everywhere."""
    metrics = getattr(row, "metrics", ())
    return len({metric.value if metric else None for metric in metrics}) > 1


def view(comparison: Comparison, language: str) -> list[Block]:
    """Tabulate: values bare, differences with their intervals, then what a reader must know."""
    table = comparison.table(language)
    columns = [f">{name}" if at in table.right else name for at, name in enumerate(table.columns)]
    bare = range(1, len(comparison.runs) + 1)
    rows = [
        [wording(cell, language, interval=at not in bare) for at, cell in enumerate(row)]
        for row in table.rows
    ]
    return [table.title, "", Grid(columns, rows), "", *table.notes]


def wording(cell: Cell, language: str, *, interval: bool) -> str:
    """Word one cell."""
    from experiments.tables import ABSENT, Number

    if isinstance(cell, Number):
        kept = cell if interval else dataclasses.replace(cell, low=None, high=None)
        return kept.text(language)
    return ABSENT if cell is None else cell
