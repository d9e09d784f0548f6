"""Going on with a run whose files lie elsewhere now: another disk letter, a moved workspace."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from experiments import paths, schema
from experiments.recipe import Recipe, ResolvedRecipe

if TYPE_CHECKING:
    from experiments.workspace import Workspace


def relocated(begun: ResolvedRecipe, asked: ResolvedRecipe, workspace: Workspace) -> ResolvedRecipe:
    """Return BEGUN, the recipe of a run, with the paths of ASKED where its own lead nowhere.

    Only where both have the same last name; its record stays as it was written.
    """
    values, now = schema.plain(begun.recipe), paths.found(schema.plain(asked.recipe))
    moved = {
        key: now[key]
        for key, path in paths.found(values).items()
        if key in now and path != now[key] and paths.same(key, path, now[key])
        if paths.absolute(path) and not (workspace.root / path).exists()
    }
    if not moved:
        return begun
    for key, path in moved.items():
        section, name = key.split(".")
        values[section][name] = path
    recipe = schema.build(Recipe, values, begun.origins)
    return dataclasses.replace(begun, recipe=recipe)
