"""`thesis runs list`: every run in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from experiments.metrics import kind
from thesis_cli.commands.runs import store
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.views.metric_titles import title_of
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.records.index import Summary
    from thesis_cli.session import Session


@click.command("list", cls=Command)
@click.argument("experiment", required=False)
@json_option
@pass_session
def list_runs(session: Session, experiment: str | None, as_json: bool) -> None:
    """List the runs.

    All of them, or those of EXPERIMENT.
    """
    del as_json
    records = store(session)
    if experiment is not None and experiment not in records.experiments():
        records.find(experiment)  # raises, naming the nearest
    emit(session, "runs-list", records.summaries(experiment), list_view)


def extent(row: Summary) -> str:
    """Say on what a run was evaluated, and whose predictions."""
    part = "" if row.complete else " (part)"
    return f"{row.dataset}{part}{f', predictions of {row.maker}' if row.maker else ''}"


def list_view(rows: Sequence[Summary]) -> list[Block]:
    """Tabulate the runs."""
    if not rows:
        return ["no runs yet; make one: thesis run v1"]
    measured = {row.primary_metric for row in rows if row.primary is not None}
    cells = [
        [
            row.run,
            row.status,
            "" if row.primary is None else quantity(row.primary, kind(row.primary_metric).unit),
            title_of(row.primary_metric) if row.primary is not None and len(measured) > 1 else "",
            extent(row),
            " ".join(row.labels),
            day(row.created),
            row.problem,
        ]
        for row in rows
    ]
    value = title_of(next(iter(measured))) if len(measured) == 1 else "value"
    columns = ["run", "status", f">{value}", "~metric", "~data", "~labels", "created", "~problem"]
    return [Grid(columns, cells, keyed=True)]


def day(moment: str) -> str:
    """Shorten a moment of a record, which is in UTC, to day and minute."""
    return moment[:16].replace("T", " ")
