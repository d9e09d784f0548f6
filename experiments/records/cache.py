"""Disk cache in .thesis/cache of results computed from sealed records, which never change."""

from __future__ import annotations

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from experiments.recipe.current import RecipeCache
from experiments.records.run import Run
from experiments.records.store import Store
from featherface.source.cache_entries import entry_path, read_entry, write_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from experiments.recipe.current import CurrentRecipe
    from experiments.records.annotations import RunAnnotations
    from experiments.workspace.workspace import Workspace


def cached_result(
    folder: Path, about: Sequence[str], make: partial[Any], libraries: Sequence[str] = ()
) -> Any:
    """Return the cached result of MAKE for this key and this code of it, or compute it.

    Args:
        folder: of the cache; an entry is one JSON file.
        about: the key: everything that decides the result, such as the seals of the records read.
        make: a function at the top of a module of ours with its arguments; it gives plain
            values, and what JSON does not know becomes text.
        libraries: distributions whose version may decide too.
    """
    path = entry_path(folder, make.func, about, libraries=libraries)
    try:
        value = json.loads(read_entry(path) or b"")
    except ValueError:
        value = json.loads(json.dumps(make(), default=str))
        write_entry(path, json.dumps(value, ensure_ascii=False))
    return value


def record_key(run: Run) -> str:
    """Return the cache key of a sealed RUN: its id, its seal, whether it has match records.

    Match records are large: a copy of a workspace may lack them, and have them again later.
    """
    return f"{run.id} {run.seal} {run.has_matches}"


def read_recipe(folder: Path) -> dict[str, Any]:
    """Return the recipe of the run in FOLDER."""
    return Run(folder).recipe


def read_epochs(folder: Path) -> list[dict[str, Any]]:
    """Return the epochs of the run in FOLDER."""
    return Run(folder).events("epoch")


class CachedStore(Store):
    """A store that reads the folders once, for one command that asks for the same runs often."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.cache = workspace.state / "cache"

    def experiments(self) -> list[str]:
        """Return the names of experiments that have runs, sorted."""
        return list(self._runs_by_experiment)

    def runs(self, experiment: str | None = None) -> list[Run]:
        """Return all runs (of EXPERIMENT), by experiment and version."""
        if experiment is not None:
            return list(self._runs_by_experiment.get(experiment, ()))
        return [run for runs in self._runs_by_experiment.values() for run in runs]

    def labels(self) -> dict[str, Run]:
        """Return label -> run; annotations that can't be read name none."""
        return self._labels

    def current_recipe(self, recipe: str, overrides: Sequence[str] = ()) -> CurrentRecipe:
        """Return RECIPE as it is now, under OVERRIDES.

        Raises:
            ThesisError: it is gone, or can't be resolved any more.
        """
        return self._recipes.current(recipe, overrides)

    @cached_property
    def _recipes(self) -> RecipeCache:
        return RecipeCache(self.workspace)

    @cached_property
    def _labels(self) -> dict[str, Run]:
        return super().labels()

    @cached_property
    def _runs_by_experiment(self) -> dict[str, list[Run]]:
        runs: dict[str, list[Run]] = {}
        for run in Store(self.workspace).runs():
            runs.setdefault(run.experiment, []).append(CachedRun(run, self.cache))
        return runs


class CachedRun(Run):
    """A run whose recipe and epochs are cached once it is sealed: parsing them is slow."""

    def __init__(self, run: Run, cache: Path) -> None:
        super().__init__(run.folder)
        self._cache = cache

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe as plain nested values."""
        recipe: dict[str, Any] = self._cached("recipes", read_recipe)
        return recipe

    @cached_property
    def sealed(self) -> bool:
        """Whether the record is finished, as it was when it was first asked for."""
        return Run(self.folder).sealed

    @cached_property
    def annotations(self) -> RunAnnotations:
        """What the student says of the run, as it was when it was first asked for."""
        return Run(self.folder).annotations

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl, of one KIND or all."""
        if kind != "epoch":
            return super().events(kind)
        epochs: list[dict[str, Any]] = self._cached("epochs", read_epochs)
        return epochs

    def _cached(self, name: str, read: Callable[[Path], Any]) -> Any:
        if not self.sealed:
            return read(self.folder)
        return cached_result(self._cache / name, [self.id, self.seal], partial(read, self.folder))
