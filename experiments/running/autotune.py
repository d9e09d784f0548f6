"""What a recipe leaves to the machine (`auto`): measured once per run, then part of its recipe.

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
    from experiments.running.stage_context import Work
    from featherface.training.tuning.automatic import MeasuredChoice

ORIGIN = "measured"
"""What recipe.yaml says of a value that was `auto`."""
WORKERS = "train.workers"
"""The key that decides nothing that is learnt."""
PROFILE = "profile.json"
"""The file of a record that says what was measured, and on what."""


def settle(work: Work, resolved: ResolvedRecipe) -> ResolvedRecipe:
    """Measure what RESOLVED leaves open, write it down in the run's folder, and return the rest.

    The recipe is written last: a run that is killed before it measures again.

    Raises:
        UnavailableError: not even one picture fits in memory.
        UsageError: several processes train together.
    """
    recipe = resolved.recipe
    open_keys = recipe.train.unsettled
    if not open_keys:
        return resolved
    from featherface.devices.select import choose  # noqa: PLC0415 - torch, where it is needed
    from featherface.training.tuning import automatic  # noqa: PLC0415

    choose(recipe.train.device, work.on_message)
    names = " and ".join(f"train.{key}" for key in open_keys)
    work.on_message(f"{work.run}: measuring {names}")
    data = inputs.data_folder(work.workspace, recipe, work.on_progress)
    split = inputs.train_split(work.workspace, recipe, data)
    choice = automatic.settle(
        inputs.build(recipe),
        recipe.train,
        pictures=len(split.images),
        faces=max((len(one.boxes) for one in split.images), default=1),
        teacher=teachers.load_teacher(work.store, recipe, work.parents),
        on_progress=work.on_progress,
    )
    for sentence in choice.sentences():
        work.on_message(sentence)
    text = json.dumps(_described(choice), ensure_ascii=False, indent=1)
    write_atomic(work.folder / PROFILE, f"{text}\n")
    settled = _with(resolved, {key: getattr(choice.config, key) for key in open_keys})
    write_atomic(work.folder / RECIPE, settled.to_yaml())
    return settled


def as_begun(asked: ResolvedRecipe, begun: ResolvedRecipe) -> ResolvedRecipe:
    """Return ASKED with what BEGUN, the recipe of a run, measured for what is open in it.

    How many processes load the pictures makes no other recipe.
    """
    found = {
        key: getattr(begun.recipe.train, key)
        for key in asked.recipe.train.unsettled
        if begun.origins.get(f"train.{key}") == ORIGIN
    }
    asked = _with(asked, found) if found else asked
    return loading(asked, begun.recipe.train.workers)


def loading_as(begun: ResolvedRecipe, asked: ResolvedRecipe) -> ResolvedRecipe:
    """Return BEGUN, the recipe of a run that goes on, with the processes that ASKED gives it.

    Whoever ran out of memory by them can go on without; the record stays as it was written.
    """
    workers, told = asked.recipe.train.workers, asked.origins.get(WORKERS) == "--set"
    return loading(begun, workers) if told or workers != AUTO else begun


def loading(resolved: ResolvedRecipe, workers: int | Literal["auto"]) -> ResolvedRecipe:
    """Return RESOLVED with pictures loaded by so many WORKERS."""
    train = dataclasses.replace(resolved.recipe.train, workers=workers)
    return dataclasses.replace(resolved, recipe=dataclasses.replace(resolved.recipe, train=train))


def _with(resolved: ResolvedRecipe, found: dict[str, Any]) -> ResolvedRecipe:
    train = dataclasses.replace(resolved.recipe.train, **found)
    origins = dict(resolved.origins) | {f"train.{key}": ORIGIN for key in found}
    recipe = dataclasses.replace(resolved.recipe, train=train)
    return dataclasses.replace(resolved, recipe=recipe, origins=origins)


def _described(choice: MeasuredChoice) -> dict[str, object]:
    """Return what profile.json holds."""
    chosen = {key: getattr(choice.config, key) for key in choice.measured}
    return {
        "device": choice.device,
        "chosen": chosen,
        "timings": [schema.plain(one) for one in choice.timings],
        "room": schema.plain(choice.room) if choice.room else None,
    }
