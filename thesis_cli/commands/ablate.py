"""`thesis ablate`: run a network without each of its innovations, and show what each is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from experiments.metrics import kind
from experiments.wording.shell_quote import command
from thesis_cli.completion import complete_experiment
from thesis_cli.grid import Grid
from thesis_cli.groups import pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.run_and_sync import Synced, execute, synchronise
from thesis_cli.torchrun_command import SharedVerb
from thesis_cli.wording import difference, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.ablation.matrix import Cell
    from experiments.records.run import Run
    from thesis_cli.session import Session


@click.command(cls=SharedVerb)
@click.argument("experiment", shell_complete=complete_experiment)
@click.option(
    "--build-up", is_flag=True, help="Add the innovations one by one, from none of them on."
)
@click.option("--set", "changes", multiple=True, metavar="K=V", help="Override a recipe's key.")
@click.option("--seeds", type=click.IntRange(1), default=1, help="Run everything with N seeds.")
@click.option("--dry-run", is_flag=True, help="Show what would run and what is there already.")
@click.option("--no-sync", is_flag=True, help="Leave the vault alone.")
@json_option
@pass_session
def ablate(
    session: Session,
    *,
    experiment: str,
    build_up: bool,
    changes: tuple[str, ...],
    seeds: int,
    dry_run: bool,
    no_sync: bool,
    as_json: bool,
) -> None:
    """Run EXPERIMENT without each of its innovations in turn.

    Runs that are there already are kept, interrupted ones go on: after a Ctrl-C the same command
    finishes the rest. Given in a second terminal meanwhile, it makes other runs than the first.
    The ablation chapter shows the differences with their intervals.
    """
    del as_json
    from experiments.ablation.matrix import finished_run, matrix
    from experiments.records.store import Store

    cells = matrix(experiment, session.workspace, changes, build_up=build_up, seeds=seeds)
    again = repetition(experiment, changes, seeds, build_up=build_up)
    made = set() if dry_run else fill(session, cells, again=again, log=not no_sync)
    store = Store(session.workspace)
    runs = [finished_run(store, cell.resolved) for cell in cells]
    left = "missing" if dry_run else "at work"
    rows = [
        row(cell, run, state="made" if run in made else "there" if run else left)
        for cell, run in zip(cells, runs, strict=True)
    ]
    wanted = not (dry_run or no_sync)
    synced = synchronise(session, session.workspace) if wanted else Synced(None)
    base, metric = cells[0].resolved.recipe.name, cells[0].resolved.recipe.primary_metric
    data = {"base": base, "metric": metric, "rows": deltas(rows), "sync": synced.data}
    emit(session, "ablate", data, view)
    if synced.error:
        raise synced.error


def fill(session: Session, cells: Sequence[Cell], *, again: str, log: bool) -> set[Run]:
    """Make the runs that are missing, but for those that another process makes; return them."""
    from experiments.ablation.matrix import finished_run, reserved
    from experiments.records.store import Store

    workspace, made = session.workspace, set()
    for cell in cells:
        with reserved(workspace, cell) as mine:
            if mine and finished_run(Store(workspace), cell.resolved) is None:
                made.add(execute(session, workspace, cell.resolved, again=again, log=log))
    return made


def repetition(experiment: str, changes: Sequence[str], seeds: int, *, build_up: bool) -> str:
    """Give the command that goes on after an interruption."""
    words = ["thesis", "ablate", experiment, *(["--build-up"] if build_up else [])]
    words += [part for change in changes for part in ("--set", change)]
    return command([*words, *(["--seeds", str(seeds)] if seeds > 1 else [])])


def row(cell: Cell, run: Run | None, *, state: str) -> dict[str, Any]:
    """Tell of one run of the matrix; the values are empty while there is none."""
    recipe = cell.resolved.recipe
    primary = run.primary if run else None
    parameters = run.metric("params.total") if run else None
    return {
        "experiment": recipe.name,
        "change": cell.change,
        "seed": recipe.seed,
        "run": run.id if run else None,
        "state": state,
        "value": primary.value if primary else None,
        "dataset": primary.dataset if primary else "",
        "parameters": int(parameters.value) if parameters else None,
    }


def deltas(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add to each row its difference from the base of the same seed; null for the base."""
    bases = {row["seed"]: row["value"] for row in rows if not row["change"]}

    def delta(row: dict[str, Any]) -> float | None:
        known = row["change"] and None not in (row["value"], bases[row["seed"]])
        return float(row["value"] - bases[row["seed"]]) if known else None

    return [{**row, "delta": delta(row)} for row in rows]


def view(data: dict[str, Any]) -> list[Block]:
    """Tabulate the matrix."""
    about = kind(data["metric"])
    columns = ["run", "change", ">seed", ">value", ">less base", "data", ">parameters", "state"]
    cells = [
        [
            row["run"] or row["experiment"],
            row["change"] or "base",
            str(row["seed"]),
            "" if row["value"] is None else quantity(row["value"], about.unit),
            "" if row["delta"] is None else difference(row["delta"], about.unit),
            row["dataset"],
            "" if row["parameters"] is None else f"{row['parameters']:,}",
            row["state"],
        ]
        for row in data["rows"]
    ]
    blocks: list[Block] = [Grid(columns, cells, facts={"metric": data["metric"]})]
    runs = [row["run"] for row in data["rows"] if row["run"]]
    if len(runs) > 1:
        blocks.append(f"\nintervals: thesis compare {' '.join(dict.fromkeys(runs))}")
    return blocks
