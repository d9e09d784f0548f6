"""Preflight checks: is all there that a recipe names? Made before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.running import inputs, teachers
from experiments.running.beside import beside_parents
from featherface.devices.precision import FULL, require
from featherface.errors import NotFoundError, UnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.recipe.model import Recipe
    from experiments.records.record import Parent
    from experiments.records.store import Store

ALWAYS_AVAILABLE = ("auto", "cpu")


def check(store: Store, recipe: Recipe, stages: Sequence[str]) -> tuple[Parent, ...]:
    """Check the data, weights, predictions, teachers and devices that STAGES of RECIPE need.

    Returns:
        The teachers as parents, where STAGES train with some.

    Raises:
        DataError: the data root is missing.
        NotFoundError: weights, predictions or the teacher are missing.
        UnavailableError: a device is not here.
        UsageError: the recipe can't be run so.
    """
    predictions = inputs.recipe_path(store.workspace, recipe.evaluate.predictions)
    if predictions is not None and "evaluate" in stages:
        _check_predictions(predictions, stages)
    no_images_needed = predictions is not None and recipe.data.ground_truth is not None
    stages_needing_images = {"train"} if no_images_needed else {"train", "evaluate"}
    if stages_needing_images & set(stages) and recipe.data.root != inputs.SYNTHETIC:
        store.workspace.data_root(recipe.data.root)
    if "train" in stages:
        _check_splits(recipe)
    weights = inputs.recipe_weights(store.workspace, recipe)
    if "train" in stages:
        inputs.recipe_backbone(store.workspace, recipe)
        _check_auto_values(recipe)
    _check_devices(recipe, stages)
    if "benchmark" in stages:
        beside_parents(store, recipe)
    stages_needing_weights = set(stages) - ({"evaluate"} if predictions is not None else set())
    stages_needing_weights -= {"benchmark"}  # which counts, where there are none
    if weights is None and "train" not in stages and stages_needing_weights:
        inputs.latest_run_weights(store, recipe)
    parents = teachers.teacher_parents(store, recipe) if "train" in stages else ()
    teachers.check_anchors(store, recipe, parents)
    return parents


def _check_devices(recipe: Recipe, stages: Sequence[str]) -> None:
    """Refuse a device that isn't here or lacks the precision, before days of training."""
    settings = {
        "train": ("train.device", recipe.train.device, FULL),
        "evaluate": ("train.device", recipe.train.device, recipe.evaluate.precision),
        "benchmark": ("benchmark.device", recipe.benchmark.device, recipe.benchmark.precision),
    }
    for key, device, precision in (settings[stage] for stage in settings if stage in stages):
        if device in ALWAYS_AVAILABLE and precision == FULL:
            continue
        from featherface.devices.select import choose  # noqa: PLC0415 - torch, where it is needed

        try:
            chosen = choose(device)
        except UnavailableError as error:
            raise UnavailableError(f"{key} = {device}: {error.message}", error.hint) from error
        require(precision, chosen)


def _check_auto_values(recipe: Recipe) -> None:
    if recipe.train.unsettled:
        from featherface.training.tuning import automatic  # noqa: PLC0415 - torch, where it is needed

        automatic.check_alone(recipe.train)


def _check_splits(recipe: Recipe) -> None:
    """Refuse a training on the very split that is reported, unless the recipe allows it."""
    data = recipe.data
    if data.train_split == data.val_split and not data.allow_overlap:
        raise UsageError(
            f"data.train_split is {data.train_split!r}, the split that is evaluated: its AP would"
            " say nothing of other pictures",
            "train on another split; to do it all the same, without evidence for any claim:"
            " --set data.allow_overlap=true",
        )


def _check_predictions(path: Path, stages: Sequence[str]) -> None:
    """Refuse missing predictions, and those beside a training, whose network did not make them."""
    if not path.exists():
        raise NotFoundError(f"no predictions {path}", "correct evaluate.predictions")
    if "train" in stages:
        raise UsageError(
            "evaluate.predictions would be reported as what the network trained here achieves",
            "evaluate them alone with --stage evaluate, or train without evaluate.predictions",
        )
    others = [stage for stage in stages if stage != "evaluate"]
    if others:
        raise UsageError(
            f"{' and '.join(others)} would set the size and speed of the recipe's network beside"
            " predictions that it did not make",
            "evaluate the predictions alone with --stage evaluate, the network in another run",
        )
