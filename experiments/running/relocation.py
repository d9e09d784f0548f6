"""Resuming a run whose files have moved: another drive letter, another folder."""

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

DATA_DIGESTS = ("annotation_sha256", "files_sha256")
"""Keys of data.json that identify a data set."""


def relocated(
    recorded: ResolvedRecipe, requested: ResolvedRecipe, workspace: Workspace, folder: Path
) -> ResolvedRecipe:
    """Return RECORDED, the recipe of a run, with REQUESTED's paths where its own don't exist.

    Only where both have the same last component; the record stays as it was written.

    Raises:
        ClaimFalseError: the data at the new place is not what the run in FOLDER was trained on.
    """
    values = schema.plain(recorded.recipe)
    requested_paths = paths.found(schema.plain(requested.recipe))
    moved = {
        key: requested_paths[key]
        for key, path in paths.found(values).items()
        if key in requested_paths
        and path != requested_paths[key]
        and paths.same(key, path, requested_paths[key])
        if paths.absolute(path) and not (workspace.root / path).exists()
    }
    if not moved:
        return recorded
    for key, path in moved.items():
        section, name = key.split(".")
        values[section][name] = path
    recipe = schema.build(Recipe, values, recorded.origins)
    if paths.ROOT in moved:
        _check_data(recipe, workspace, folder)
    return dataclasses.replace(recorded, recipe=recipe)


def _check_data(recipe: Recipe, workspace: Workspace, folder: Path) -> None:
    """Refuse a train split that differs from the one in the data.json of FOLDER."""
    recorded = read_json(folder / "data.json").get(recipe.data.train_split)
    if not recorded:
        return
    from experiments.running import inputs  # noqa: PLC0415 - numpy, only where a disk was moved

    root = workspace.data_root(recipe.data.root)
    current = inputs.describe_split(inputs.train_split(workspace, recipe, root), workspace)
    if any(recorded.get(key) != current[key] for key in DATA_DIGESTS):
        raise ClaimFalseError(
            f"{root} holds other data than the run began with",
            "give the folder with the same data, or start a new version with --new",
        )
