"""Recipes as they would be resolved now, kept until anything that decides that changes.

Resolving one takes some 10 ms; a check of claims compares the recipe of every run with today's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from importlib import metadata
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.workspace import paths
from featherface.source.digest import program_digest
from featherface.source.state_lines import StateLines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace


class CurrentRecipe(NamedTuple):
    """A recipe as it is now."""

    digest: str
    """Of all that decides the numbers, as a record keeps it."""
    values: dict[str, Any]
    """Every key with its value, nested."""


def current_recipe(workspace: Workspace, name: str, overrides: Sequence[str] = ()) -> CurrentRecipe:
    """Return recipe NAME as it is now, under OVERRIDES.

    Raises:
        ThesisError: it is gone, or can't be resolved any more.
    """
    from experiments import schema  # noqa: PLC0415 - all configurations
    from experiments.recipe.resolve import resolve  # noqa: PLC0415 - as above

    recipe = resolve(name, workspace, overrides, with_idle=True).recipe
    return CurrentRecipe(recipe.digest, schema.plain(recipe))


class RecipeCache:
    """The recipes that were resolved in one state of the workspace and the program.

    What can't be resolved is not kept.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._state = recipes_state(workspace)
        self._lines = StateLines(workspace.state / "cache" / "current-recipes", self._state)
        self._known: dict[tuple[str, tuple[str, ...]], CurrentRecipe] = {}
        for line in self._lines.read():
            with contextlib.suppress(KeyError, TypeError):  # damaged
                key = line["name"], tuple(line["overrides"])
                self._known[key] = CurrentRecipe(line["digest"], line["values"])

    def current(self, name: str, overrides: Sequence[str]) -> CurrentRecipe:
        """Return what `current_recipe` does, from the disk where it is kept there."""
        key = name, tuple(overrides)
        if key not in self._known:
            recipe = current_recipe(self.workspace, *key)
            self._known[key] = recipe
            if recipes_state(self.workspace) == self._state:  # no file was saved meanwhile
                line = {"name": name, "overrides": key[1], **recipe._asdict()}
                self._lines.add([line])
        return self._known[key]


def recipes_state(workspace: Workspace) -> str:
    """Return the SHA-256 of all that decides how recipes are resolved in WORKSPACE.

    That is the program, the reader of YAML, every recipe file, the names of the experiments that
    have runs (another case of one is refused), where data sets lie, and the default device.
    """
    roots = {name: str(folder) for name, folder in workspace.data_roots.items()}
    device = workspace.settings["device"], workspace.settings.origin("device")
    experiments = sorted(paths.names(workspace.runs))
    versions = program_digest(), metadata.version("ruamel.yaml")
    about = [*versions, str(workspace.root), device, roots, experiments]
    total = hashlib.sha256(json.dumps(about).encode())
    for folder in (paths.PACKAGED_RECIPES, workspace.recipes):
        for path in sorted(folder.rglob("*.yaml")):
            content = _content(path)
            total.update(f"\n{path.as_posix()}\n{len(content)}\n".encode())
            total.update(content)
    return total.hexdigest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        return str(error).encode()
