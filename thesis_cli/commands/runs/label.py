"""`thesis runs label`: names that a student gives a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from featherface.errors import NotFoundError, UsageError, unknown
from thesis_cli.commands.runs import store
from thesis_cli.completion import complete_run
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from experiments.records.run import Run
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("selector", shell_complete=complete_run)
@click.argument("names", nargs=-1)
@click.option("--remove", is_flag=True, help="Take these names away.")
@json_option
@pass_session
def label(
    session: Session, selector: str, names: tuple[str, ...], remove: bool, as_json: bool
) -> None:
    """Give a run names of your own.

    Each of NAMES then stands for the run wherever a SELECTOR does. Without NAMES, tells those
    that it has.
    """
    del as_json
    records = store(session)
    run = records.find(selector)
    if remove:
        records.annotate(run, labels=without(run, names))
    elif names:
        records.annotate(run, labels=tuple(dict.fromkeys((*run.labels, *names))))
    if names:
        session.note("the run's note follows with: thesis report sync")
    emit(session, "runs-label", {"run": run.id, "labels": list(run.labels)}, view)


def without(run: Run, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels of RUN without NAMES.

    Raises:
        UsageError: there are no NAMES.
        NotFoundError: the run has no such label.
    """
    if not names:
        raise UsageError("--remove needs the labels to take away", f"thesis runs label {run.id}")
    for name in names:
        if name not in run.labels:
            message = f"{run.id}: {unknown('label', name, run.labels)}"
            raise NotFoundError(message, f"thesis runs label {run.id}")
    return tuple(label for label in run.labels if label not in names)


def view(data: dict[str, Any]) -> list[Block]:
    """Tell the labels of a run."""
    return [f"{data['run']}: {', '.join(data['labels']) or 'no labels'}"]
