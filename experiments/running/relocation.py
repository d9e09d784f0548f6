"""Resuming a run whose files lie elsewhere now: another drive letter, a moved workspace."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from experiments import schema
from experiments.recipe.model import Recipe, ResolvedRecipe
from experiments.records.writer import read_json
from experiments.workspace import paths
from featherface.errors import ClaimFalseError

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.workspace.workspace import Workspace

TOLD_BY = ("annotation_sha256", "files_sha256")
"""What of data.json tells one data set from another."""


def relocated(
    begun: ResolvedRecipe, asked: ResolvedRecipe, workspace: Workspace, folder: Path
) -> ResolvedRecipe:
    """Return BEGUN, the recipe of the run in FOLDER, with ASKED's paths where its own lead nowhere.

    Only where both have the same last name; its record stays as it was written.

    Raises:
        ClaimFalseError: there is other data at the new place than the run learnt from.
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
    if paths.ROOT in moved:
        _check_data(recipe, workspace, folder)
    return dataclasses.replace(begun, recipe=recipe)


def _check_data(recipe: Recipe, workspace: Workspace, folder: Path) -> None:
    """Refuse to learn on from other pictures than those that the run in FOLDER began with."""
    recorded = read_json(folder / "data.json").get(recipe.data.train_split)
    if not recorded:
        return
    from experiments.running import inputs  # noqa: PLC0415 - numpy, only where a disk was moved

    root = workspace.data_root(recipe.data.root)
    now = inputs.describe(inputs.train_split(workspace, recipe, root), workspace)
    if any(recorded.get(key) != now[key] for key in TOLD_BY):
        raise ClaimFalseError(
            f"{root} holds other data than the run began with",
            "give the folder with the same data, or start a new version with --new",
        )
