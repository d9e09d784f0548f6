"""`thesis benchmark --matrix`: every format of networks, measured by runs that are sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.wording.shell_quote import command
from featherface.errors import NotFoundError, ThesisError
from thesis_cli.commands.run import repeated, resolve, resumption
from thesis_cli.grid import Grid
from thesis_cli.output import emit
from thesis_cli.run_and_sync import Synced, execute, synchronise
from thesis_cli.wording import difference, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.benchmarking.matrix import MatrixRow
    from experiments.recipe.model import ResolvedRecipe
    from thesis_cli.output import Block
    from thesis_cli.session import Session

STAGES = ("evaluate", "benchmark", "export")


class PlannedRun(NamedTuple):
    """A run that will measure one network in every format."""

    recipe: ResolvedRecipe
    stages: tuple[str, ...]
    again: str
    """The command that goes on with it."""


def run_matrix(
    session: Session, names: Sequence[str], overrides: Sequence[str], *, to_vault: bool
) -> None:
    """Export each of NAMES to every format possible here, time and evaluate all, and seal it.

    Raises:
        NotFoundError: one has no weights yet.
    """
    from experiments.benchmarking.matrix import possible_formats, rows

    possible, missing = possible_formats()
    for form, install in missing.items():
        session.warn(f"{form} is left out, its tools are not installed: {install}")
    settings = [f"export.formats=[{', '.join(possible)}]", "benchmark.exports=true", *overrides]
    plans = [planned(session, name, settings) for name in names]
    finished = [
        execute(
            session,
            session.workspace,
            plan.recipe,
            stages=plan.stages,
            mode="new",
            again=plan.again,
            log=False,
        )
        for plan in plans
    ]
    synced = synchronise(session, session.workspace) if to_vault else Synced(None)
    data = {
        "runs": [run.id for run in finished],
        "formats": list(possible),
        "missing": missing,
        "rows": [tell(row) for run in finished for row in rows(run)],
        "sync": synced.data,
    }
    emit(session, "benchmark-matrix", data, view)
    if synced.error:
        raise synced.error


def planned(session: Session, name: str, settings: Sequence[str]) -> PlannedRun:
    """Resolve the run that measures NAME, a recipe or a finished run, with all its weights.

    Raises:
        NotFoundError: it has no weights yet.
    """
    from experiments.records.store import Store
    from experiments.running.benchmark_stage import has_weights

    source, own = repeated(session, name, STAGES)
    overrides = [*own, *settings]
    (recipe,) = resolve(session, source, overrides, 1)
    if not has_weights(Store(session.workspace), recipe.recipe):
        raise NotFoundError(
            f"{name} has no weights yet: a matrix of what it finds and takes would tell nothing",
            f"thesis run {name}",
        )
    stages = STAGES if has_data(session, recipe) else STAGES[1:]
    return PlannedRun(recipe, stages, resumption(recipe, overrides, stages))


def has_data(session: Session, recipe: ResolvedRecipe) -> bool:
    """Whether the pictures that RECIPE evaluates on are here; warn where they are not."""
    root = recipe.recipe.data.root
    try:
        there = root == "synthetic" or session.workspace.data_root(root).is_dir()
        why = f"there is no folder {root}"
    except ThesisError as error:
        there, why = False, error.message
    if not there:
        name = recipe.recipe.name
        again = command(["thesis", "benchmark", "--matrix", name])
        session.warn(
            f"{name} is not evaluated, its AP stays unknown: {why}; name its place under [data] of"
            f" thesis.toml, then: {again}"
        )
    return there


def tell(row: MatrixRow) -> dict[str, Any]:
    """Tell a row of the matrix."""
    return {
        "run": row.run.id,
        "variant": row.run.variant,
        "format": row.format,
        "engine": row.engine,
        "state": row.state,
        "parity": row.parity,
        "ap": row.ap,
        "ap_loss": row.loss,
        "ap_loss_low": row.low,
        "ap_loss_high": row.high,
        "megabytes": row.megabytes,
        "latency": row.latency.to_json() if row.latency else None,
        "ratio": row.ratio.value if row.ratio else None,
        "reason": row.reason,
    }


def view(data: dict[str, Any]) -> list[Block]:
    """Show the matrix, and where it went."""
    columns = ["run", "format", "engine", "state", ">difference", ">AP Hard", ">AP lost"]
    columns += [">size", ">median", ">times PyTorch", "marks", "~not timed"]
    rows = []
    for each in data["rows"]:
        latency = each["latency"] or {}
        rows.append(
            [
                each["run"],
                each["format"],
                each["engine"],
                each["state"],
                _cell(each["parity"], "", ".1e"),
                _cell(each["ap"], "fraction"),
                "" if each["ap_loss"] is None else difference(-each["ap_loss"], "fraction"),
                _cell(each["megabytes"], "MB", ".2f"),
                _cell(latency.get("value"), "ms", ".2f"),
                _cell(each["ratio"], "", ".3f"),
                ", ".join(latency.get("marks", ())),
                each["reason"],
            ]
        )
    blocks: list[Block] = [Grid(columns, rows)]
    if data["sync"]:
        blocks.append(f"vault: {len(data['sync']['written'])} files written")
    else:
        blocks.append("sealed; next: thesis report sync")
    return blocks


def _cell(value: float | None, unit: str, spec: str = "") -> str:
    return "" if value is None else quantity(value, unit, spec)
