"""`thesis run`: from a recipe to a sealed record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from experiments.names import STAGES
from experiments.wording.shell_quote import command
from featherface.errors import UsageError
from thesis_cli.completion import complete_experiment
from thesis_cli.groups import pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.run_and_sync import Synced, execute, result, synchronise
from thesis_cli.torchrun_command import SharedVerb
from thesis_cli.views.metrics import metrics_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.recipe.model import ResolvedRecipe
    from thesis_cli.session import Session


@click.command(cls=SharedVerb)
@click.argument("experiments", nargs=-1, required=True, shell_complete=complete_experiment)
@click.option("--set", "changes", multiple=True, metavar="K=V", help="Override a recipe's key.")
@click.option("--seed", type=click.IntRange(0), help="Short for --set seed=N.")
@click.option("--seeds", type=click.IntRange(1), help="Repeat with N seeds, counting up.")
@click.option(
    "--stage", "stages", multiple=True, type=click.Choice(STAGES), help="Only this stage; repeat."
)
@click.option(
    "--skip",
    multiple=True,
    type=click.Choice(STAGES[1:]),
    help="Leave this stage out; with --resume, seal the run without it; repeat.",
)
@click.option("--resume", is_flag=True, help="Go on with an interrupted run.")
@click.option("--new", is_flag=True, help="Start a new version in any case.")
@click.option("--dry-run", is_flag=True, help="Show the resolved recipe; run nothing.")
@click.option("--no-sync", is_flag=True, help="Leave the vault alone.")
@json_option
@pass_session
def run(  # noqa: PLR0913 - one parameter per option
    session: Session,
    *,
    experiments: tuple[str, ...],
    changes: tuple[str, ...],
    seed: int | None,
    seeds: int | None,
    stages: tuple[str, ...],
    skip: tuple[str, ...],
    resume: bool,
    new: bool,
    dry_run: bool,
    no_sync: bool,
    as_json: bool,
) -> None:
    """Run experiments and seal what happened.

    EXPERIMENTS are names of recipes, or finished runs: `v1@1 --stage benchmark` measures the
    weights of v1@1 anew, in a version of its own.

    Trains, evaluates, benchmarks and exports as each recipe says, then brings the vault up to
    date. Ctrl-C leaves a checkpoint: thesis run NAME --resume goes on from it. So it does after a
    stage that failed; with --skip STAGE the run is sealed without.
    """
    del as_json
    if resume and new:
        raise click.UsageError("--resume and --new exclude each other")
    mode = "resume" if resume else "new" if new else "auto"
    overrides = [*changes, *([f"seed={seed}"] if seed is not None else [])]
    plans = [
        (plan, own)
        for name, own in (repeated(session, each, stages) for each in experiments)
        for plan in resolve(session, name, [*own, *overrides], seeds or 1)
    ]
    if dry_run:
        shown = [outline(plan) for plan, _ in plans]
        emit(session, "run", {"runs": [], "sync": None, "plans": shown}, view)
        return
    finished, synced = [], Synced(None)
    for plan, own in plans:
        done = execute(
            session,
            session.workspace,
            plan,
            stages=stages or None,
            skip=skip,
            mode=mode,
            again=resumption(plan, [*own, *changes], stages),
            log=not no_sync,
        )
        finished.append(result(done))
        if not no_sync:
            synced = synchronise(session, session.workspace)
    emit(session, "run", {"runs": finished, "sync": synced.data, "plans": []}, view)
    if synced.error:
        raise synced.error


def repeated(session: Session, name: str, stages: Sequence[str]) -> tuple[str, list[str]]:
    """Return the recipe that NAME means and, where it is a run's, the overrides that repeat it.

    Stages without a training are repeated with that run's weights.
    """
    if "@" not in name:
        return name, []
    from experiments.claims.remedies import repeat_overrides
    from experiments.records.store import Store

    store = Store(session.workspace)
    run = store.find(name)
    if not run.sealed:
        raise UsageError(
            f"{run.id} is {run.status}: only finished runs can be measured anew",
            f"thesis run {run.record.recipe_name or run.experiment} --resume",
        )
    return run.record.recipe_name or run.experiment, repeat_overrides(store, run, stages)


def resolve(session: Session, name: str, overrides: list[str], seeds: int) -> list[ResolvedRecipe]:
    """Resolve a recipe, once per seed."""
    from experiments.recipe.resolve import resolve

    first = resolve(name, session.workspace, overrides)
    start = first.recipe.seed
    later = range(start + 1, start + seeds)
    return [
        first,
        *(resolve(name, session.workspace, [*overrides, f"seed={each}"]) for each in later),
    ]


def resumption(plan: ResolvedRecipe, changes: Sequence[str], stages: Sequence[str]) -> str:
    """Give the command that goes on with PLAN, in the quotes of the shell at hand."""
    words = [part for each in changes for part in ("--set", each)]
    words += [part for each in stages for part in ("--stage", each)]
    if plan.recipe.seed and not any(each.startswith("seed=") for each in changes):
        words += ["--seed", str(plan.recipe.seed)]
    return command(["thesis", "run", plan.source or plan.recipe.name, *words, "--resume"])


def outline(plan: ResolvedRecipe) -> dict[str, Any]:
    """Tell what would run."""
    return {
        "experiment": plan.recipe.name,
        "recipe": plan.to_yaml(),
        "origins": dict(plan.origins),
    }


def view(data: dict[str, Any]) -> list[Block]:
    """Show the metrics of each run, and where they went."""
    blocks: list[Block] = [each["recipe"].rstrip() for each in data["plans"]]
    for each in data["runs"]:
        facts = {"run": f"{each['run']} ({each['status']})", "record": str(each["folder"])}
        blocks.append(metrics_grid(each["metrics"], facts))
    if data["sync"]:
        written = data["sync"]["written"]
        blocks.append(f"vault: {len(written)} files written; next: thesis runs list")
    return blocks
