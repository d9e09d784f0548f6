"""Values of a recipe that are `auto`: measured once per run, then part of the run's recipe.

A recipe says `train.batch_size: auto`; the run's recipe.yaml says 24, with the origin `measured`,
and profile.json beside it holds what was measured. A resume reads recipe.yaml, so it trains as the
run began; everything that reads records sees plain values.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Literal

from experiments import schema
from experiments.records.run import RECIPE
from experiments.running import inputs, teachers
from featherface.filesystem.atomic import write_atomic
from featherface.training.config.train import AUTO

if TYPE_CHECKING:
    from experiments.recipe.model import ResolvedRecipe
    from experiments.running.stage_context import StageContext
    from featherface.training.tuning.automatic import MeasuredChoice

ORIGIN = "measured"
"""Origin, in recipe.yaml, of a value that was `auto`."""
WORKERS = "train.workers"
"""The one measured key that has no influence on the weights."""
PROFILE = "profile.json"
"""File of a record: the timings behind the measured values, and the device."""


def settle(context: StageContext, resolved: ResolvedRecipe) -> ResolvedRecipe:
    """Measure the values of RESOLVED that are `auto`, and return it with them filled in.

    profile.json and recipe.yaml go into the run's folder, the recipe last: a run that is killed
    before that measures again.

    Raises:
        UnavailableError: not even one picture fits in memory.
        UsageError: several processes train together.
    """
    recipe = resolved.recipe
    auto_keys = recipe.train.unsettled
    if not auto_keys:
        return resolved
    from featherface.devices.select import choose  # noqa: PLC0415 - torch, where it is needed
    from featherface.training.tuning import automatic  # noqa: PLC0415

    choose(recipe.train.device, context.on_message)
    names = " and ".join(f"train.{key}" for key in auto_keys)
    context.on_message(f"{context.run}: measuring {names}")
    data = inputs.data_folder(context.workspace, recipe, context.on_progress)
    split = inputs.train_split(context.workspace, recipe, data)
    choice = automatic.settle(
        inputs.build_network(recipe),
        recipe.train,
        pictures=len(split.images),
        faces=max((len(image.boxes) for image in split.images), default=1),
        teacher=teachers.load_teacher(context.store, recipe, context.parents),
        on_progress=context.on_progress,
    )
    for sentence in choice.sentences():
        context.on_message(sentence)
    text = json.dumps(_profile(choice), ensure_ascii=False, indent=1)
    write_atomic(context.folder / PROFILE, f"{text}\n")
    settled = _with_values(resolved, {key: getattr(choice.config, key) for key in auto_keys})
    write_atomic(context.folder / RECIPE, settled.to_yaml())
    return settled


def with_measured_values(requested: ResolvedRecipe, recorded: ResolvedRecipe) -> ResolvedRecipe:
    """Return REQUESTED with its `auto` values as RECORDED, the recipe of a run, has measured them.

    The number of loader processes is RECORDED's in any case: it makes no other recipe.
    """
    measured = {
        key: getattr(recorded.recipe.train, key)
        for key in requested.recipe.train.unsettled
        if recorded.origins.get(f"train.{key}") == ORIGIN
    }
    requested = _with_values(requested, measured) if measured else requested
    return with_workers(requested, recorded.recipe.train.workers)


def with_requested_workers(recorded: ResolvedRecipe, requested: ResolvedRecipe) -> ResolvedRecipe:
    """Return RECORDED, the recipe of a resumed run, with REQUESTED's number of loader processes.

    A run that ran out of memory can so be resumed with fewer; its record stays as it was written.
    """
    workers, is_override = requested.recipe.train.workers, requested.origins.get(WORKERS) == "--set"
    return with_workers(recorded, workers) if is_override or workers != AUTO else recorded


def with_workers(resolved: ResolvedRecipe, workers: int | Literal["auto"]) -> ResolvedRecipe:
    """Return RESOLVED with `train.workers` set to WORKERS."""
    train = dataclasses.replace(resolved.recipe.train, workers=workers)
    return dataclasses.replace(resolved, recipe=dataclasses.replace(resolved.recipe, train=train))


def _with_values(resolved: ResolvedRecipe, measured: dict[str, Any]) -> ResolvedRecipe:
    train = dataclasses.replace(resolved.recipe.train, **measured)
    origins = dict(resolved.origins) | {f"train.{key}": ORIGIN for key in measured}
    recipe = dataclasses.replace(resolved.recipe, train=train)
    return dataclasses.replace(resolved, recipe=recipe, origins=origins)


def _profile(choice: MeasuredChoice) -> dict[str, object]:
    """Return the content of profile.json."""
    chosen = {key: getattr(choice.config, key) for key in choice.measured}
    return {
        "device": choice.device,
        "chosen": chosen,
        "timings": [schema.plain(timing) for timing in choice.timings],
        "room": schema.plain(choice.room) if choice.room else None,
    }
