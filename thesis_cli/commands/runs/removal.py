"""`thesis runs rm` and `restore`: runs out of the thesis, and back."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from featherface.errors import NotFoundError, UsageError
from thesis_cli.commands.runs import store
from thesis_cli.completion import complete_run
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.records.run import Run
    from experiments.records.store import Store
    from thesis_cli.session import Session

FOLLOW = "notes and blocks follow with: thesis report sync"
RUN_ID = re.compile(r".+@\d+")


@click.command(cls=Command)
@click.argument("selectors", nargs=-1, required=True, shell_complete=complete_run)
@click.option("--force", is_flag=True, help="Although other runs were made from it.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@pass_session
def rm(
    session: Session, *, selectors: tuple[str, ...], force: bool, yes: bool, as_json: bool
) -> None:
    """Take runs out of the thesis; nothing is deleted.

    The record moves to .thesis/removed, and thesis runs restore brings it back. Its number is
    never given again. A run that others were made from (their teacher, their weights) is kept,
    unless they go with it or --force says so.
    """
    from experiments.records.removal import check_removable, note_gone, remove

    records = store(session)
    chosen, missing = choose(records, selectors)
    names = [run.id for run in chosen]
    for run in chosen:
        check_removable(records, run, among=frozenset(names), force=force)
    confirm(names + missing, yes=yes, as_json=as_json)
    places = [str(remove(records, run)) for run in chosen]
    for run_id in missing:
        note_gone(records, run_id)
    session.note(FOLLOW)
    rows = [
        {"run": run, "folder": place}
        for run, place in zip(names + missing, places + [None] * len(missing), strict=True)
    ]
    emit(session, "runs-rm", rows, removed_view)


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True)
@json_option
@pass_session
def restore(session: Session, runs: tuple[str, ...], as_json: bool) -> None:
    """Bring removed runs back.

    Each of RUNS is named by its version, such as v2@3.
    """
    del as_json
    from experiments.records.removal import restore as bring_back

    records = store(session)
    for run in runs:
        if not RUN_ID.fullmatch(run):
            raise UsageError(f"{run!r} names no version", f"write {run.partition('@')[0]}@1")
    restored = [bring_back(records, run) for run in runs]
    session.note(FOLLOW)
    rows = [{"run": run.id, "folder": str(run.folder)} for run in restored]
    emit(session, "runs-restore", rows, restored_view)


def choose(records: Store, selectors: Sequence[str]) -> tuple[list[Run], list[str]]:
    """Return the runs that SELECTORS mean, and the ids of those whose records are gone already.

    Raises:
        NotFoundError: a selector means neither.
    """
    chosen, missing = [], []
    for selector in dict.fromkeys(selectors):
        try:
            chosen.append(records.find(selector))
        except NotFoundError:
            memory = records.ledger.memory
            if selector not in memory.known or selector in memory.removed:
                raise
            missing.append(selector)
    return list(dict.fromkeys(chosen)), missing


def confirm(runs: Sequence[str], *, yes: bool, as_json: bool) -> None:
    """Ask whether RUNS shall go, unless YES.

    Raises:
        UsageError: nobody is there to be asked.
    """
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise UsageError("nobody is there to be asked", f"thesis runs rm {' '.join(runs)} --yes")
    click.confirm(f"Take {', '.join(runs)} out of the thesis?", abort=True, err=True)


def removed_view(rows: list[dict[str, Any]]) -> list[Block]:
    """Tell where each record lies now."""
    lines: list[Block] = []
    for row in rows:
        run, folder = row["run"], row["folder"]
        moved = f"it lies in {folder}; back again: thesis runs restore {run}"
        lines.append(f"{run}: removed; {moved if folder else 'its folder was gone already'}")
    return lines


def restored_view(rows: list[dict[str, Any]]) -> list[Block]:
    """Tell which runs are back."""
    return [f"{row['run']}: restored to {row['folder']}" for row in rows]
