"""What was worked out from sealed records, kept in .thesis/cache: they never change."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from experiments.records.run import Run
from experiments.records.store import Store
from featherface.filesystem import atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from experiments.records.annotations import RunAnnotations
    from experiments.workspace.workspace import Workspace


def keep(folder: Path, about: Sequence[str], make: Callable[[], Any]) -> Any:
    """Return what MAKE gave before for the same things, or call it.

    Args:
        folder: where it is kept, one file each.
        about: everything that decides the outcome, such as the seals of the records it is from.
        make: gives plain values; what JSON does not know becomes text.
    """
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    path = folder / f"{key}.json"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = json.loads(json.dumps(make(), default=str))
        atomic.keep(path, json.dumps(known, ensure_ascii=False))
    return known


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
        found: dict[str, Any] = self._kept("recipes", lambda: Run(self.folder).recipe)
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
        found: list[dict[str, Any]] = self._kept("epochs", lambda: Run.events(self, kind))
        return found

    def _kept(self, folder: str, make: Callable[[], Any]) -> Any:
        if not self.sealed:
            return make()
        return keep(self._cache / folder, [self.id, self.seal], make)
