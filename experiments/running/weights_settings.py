"""Settings of a network whose weights come from an earlier run of the same experiment."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from experiments.recipe.file_settings import ORIGIN
from experiments.running import inputs
from featherface.errors import ThesisError
from featherface.weights.network_settings import conflicts, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from experiments.recipe.model import ResolvedRecipe
    from experiments.records.store import Store

DEFAULT = "variant "
"""How the origin of a value begins that no recipe and no file set."""


def with_run_settings(
    store: Store, resolved: ResolvedRecipe, stages: Sequence[str], say: Callable[[str], None]
) -> ResolvedRecipe:
    """Return RESOLVED with the settings of the run whose weights STAGES take up.

    They replace defaults of the variant alone, never what a recipe or `--set` names; SAY is told.
    """
    recipe = resolved.recipe
    if "train" in stages or recipe.model.weights is not None or recipe.evaluate.predictions:
        return resolved
    run = inputs.latest_run_with_weights(store, recipe)
    if run is None:
        return resolved
    try:
        trained = run.resolved().recipe.model.detector()
    except ThesisError:  # of a version with other keys: its weights are looked at where they load
        return resolved
    origins = dict(resolved.origins)
    taken = {
        key: value
        for key, (_, value) in conflicts(recipe.model.detector(), trained).items()
        if origins.get(f"model.{key}", "").startswith(DEFAULT)
    }
    if not taken:
        return resolved
    changes = ", ".join(f"model.{key} = {shown(value)}" for key, value in taken.items())
    say(f"as the weights of {run.id} need it: {changes}")
    origins |= {f"model.{key}": f"{ORIGIN} {run.id}" for key in taken}
    overrides = {**recipe.model.overrides, **taken}
    model = dataclasses.replace(recipe.model, overrides=overrides)
    return dataclasses.replace(
        resolved, recipe=dataclasses.replace(recipe, model=model), origins=origins
    )
