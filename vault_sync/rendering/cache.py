"""What was worked out from sealed records, kept in .thesis/cache: they never change."""

from __future__ import annotations

import json
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from experiments.records.run import Run
from experiments.records.store import Store
from featherface.source.cache_entries import entry_path, read_entry, write_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from experiments.records.annotations import RunAnnotations
    from experiments.workspace.workspace import Workspace


def keep(
    folder: Path, about: Sequence[str], make: partial[Any], libraries: Sequence[str] = ()
) -> Any:
    """Return what MAKE gave before for the same things, by the same code, or call it.

    Args:
        folder: where it is kept, one file each.
        about: everything that decides the outcome, such as the seals of the records it is from.
        make: a function at the top of a module of ours with its arguments; it gives plain
            values, and what JSON does not know becomes text.
        libraries: distributions whose version may decide too.
    """
    path = entry_path(folder, make.func, about, libraries=libraries)
    try:
        known = json.loads(read_entry(path) or b"")
    except ValueError:
        known = json.loads(json.dumps(make(), default=str))
        write_entry(path, json.dumps(known, ensure_ascii=False))
    return known


def evidence(run: Run) -> str:
    """Return what stands for all that a sealed RUN gives: its name, its seal, match records.

    Match records are large: a copy of a workspace may lack them, and have them again later.
    """
    return f"{run.id} {run.seal} {run.has_matches}"


def read_recipe(folder: Path) -> dict[str, Any]:
    """Return the recipe of the run in FOLDER."""
    return Run(folder).recipe


def read_epochs(folder: Path) -> list[dict[str, Any]]:
    """Return the epochs of the run in FOLDER."""
    return Run(folder).events("epoch")


class KnownStore(Store):
    """The runs as one sync finds them: looked up once, and the same ones for every report."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.cache = workspace.state / "cache"

    def experiments(self) -> list[str]:
        """Return the names of experiments that have runs, sorted."""
        return list(self._found)

    def runs(self, experiment: str | None = None) -> list[Run]:
        """Return all runs (of EXPERIMENT), by experiment and version."""
        if experiment is not None:
            return list(self._found.get(experiment, ()))
        return [run for runs in self._found.values() for run in runs]

    @cached_property
    def _found(self) -> dict[str, list[Run]]:
        found: dict[str, list[Run]] = {}
        for run in Store(self.workspace).runs():
            found.setdefault(run.experiment, []).append(KnownRun(run, self.cache))
        return found


class KnownRun(Run):
    """A run whose recipe and epochs are read once in its life: YAML and long logs take time."""

    def __init__(self, run: Run, cache: Path) -> None:
        super().__init__(run.folder)
        self._cache = cache

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """The resolved recipe as plain nested values."""
        found: dict[str, Any] = self._kept("recipes", read_recipe)
        return found

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
        found: list[dict[str, Any]] = self._kept("epochs", read_epochs)
        return found

    def _kept(self, name: str, read: Callable[[Path], Any]) -> Any:
        if not self.sealed:
            return read(self.folder)
        return keep(self._cache / name, [self.id, self.seal], partial(read, self.folder))
