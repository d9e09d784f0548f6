"""Runs whose networks are timed in turns with a recipe's own: their parents, and loading them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.running import inputs
from featherface.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from experiments.recipe.model import Recipe
    from experiments.records.record import Parent
    from experiments.records.run import Run
    from experiments.records.store import Store
    from featherface.networks.detector import Detector

BESIDE = "beside"
"""Role of such a run among the parents of a record."""


def beside_parents(store: Store, recipe: Recipe) -> tuple[Parent, ...]:
    """Return the runs that `benchmark.beside` names, as parents.

    Raises:
        NotFoundError: there is no such run, or it has no weights.
        UsageError: it is not finished, or two are of one experiment, after which ratios are named.
        ClaimFalseError: its sealed record was changed.
    """
    runs = [store.find(selector) for selector in recipe.benchmark.beside]
    experiments = [run.experiment for run in runs]
    for run in runs:
        if experiments.count(run.experiment) > 1:
            raise UsageError(
                f"benchmark.beside names several runs of {run.experiment}",
                f"name one of them: --set benchmark.beside=[{run.id}]",
            )
        if run.sealed and run.weights is None:
            raise NotFoundError(
                f"benchmark.beside: {run.id} has no weights to be timed with",
                f"thesis run {run.experiment}",
            )
    return tuple(inputs.run_parent(store, run, BESIDE) for run in runs)


def load_run(run: Run) -> Detector:
    """Return the network of a finished RUN, with its weights and settings.

    Raises:
        NotFoundError: it has no weights.
    """
    from featherface.weights import checkpoints  # noqa: PLC0415 - preflight loads no weights

    if run.weights is None:
        raise NotFoundError(f"{run.id} has no weights", f"thesis run {run.experiment}")
    recipe = run.resolved().recipe
    model = inputs.build_network(recipe)
    checkpoints.load_weights(model, run.weights, recipe.model.variant)
    return model.eval()
