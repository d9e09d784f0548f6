"""Differences between how two runs were made: recipe, code, data, parents, machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

from experiments.staleness.source_digest import read_code
from experiments.workspace.paths import same

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from experiments.records.run import Run

DATA_KEYS = ("dataset", "images", "faces", "annotation_sha256", "files_sha256", "ground_truth")
MACHINE_KEYS = ("system", "machine", "cpu", "cores", "memory_gb", "gpu", "gpus", "python", "torch")


@dataclass(frozen=True)
class RecordDifference:
    """A value of the record in which two runs differ."""

    part: str
    """One of PARTS."""
    name: str
    values: tuple[Any, Any]
    """Of the first run and of the second; None where it has none."""


def diff_runs(base: Run, other: Run) -> list[RecordDifference]:
    """Return what differs in how BASE and OTHER were made; what they measured is not compared.

    Raises:
        DataError: a record is damaged.
    """
    differences = []
    for part, read in PARTS.items():
        first, second = read(base), read(other)
        for name in dict.fromkeys((*first, *second)):
            values = (first.get(name), second.get(name))
            if not same(name, *values):
                differences.append(RecordDifference(part, name, values))
    return differences


def _recipe(run: Run) -> dict[str, Any]:
    from experiments.recipe.model import flatten  # noqa: PLC0415 - all configurations

    return flatten(run.recipe)


def _code(run: Run) -> dict[str, Any]:
    """Return the commit, and what each file of the core comes to without its comments."""
    record = run.record
    versions = {"commit": record.git.commit or None, "dirty": record.git.dirty, "tool": record.tool}
    files = {name: digest for name, (_, digest) in read_code(run.folder).items()}
    return {**versions, **(files or {"digest": record.code or None})}


def _data(run: Run) -> dict[str, Any]:
    return {
        f"{split}.{key}": _by_name(about[key]) if isinstance(about[key], dict) else about[key]
        for split, about in run.data.items()
        for key in DATA_KEYS
        if isinstance(about, dict) and key in about
    }


def _by_name(files: Mapping[str, str]) -> dict[str, str]:
    """Return name -> hash of FILES: where they lay makes no difference."""
    return {PureWindowsPath(file).name: digest for file, digest in sorted(files.items())}


def _parents(run: Run) -> dict[str, Any]:
    return {
        parent.role: parent.run or f"{parent.path} {parent.sha256}" for parent in run.record.parents
    }


def _packages(run: Run) -> dict[str, Any]:
    try:
        text = (run.folder / "environment.txt").read_text(encoding="utf-8")
    except OSError:
        return {}
    pairs = (line.partition("==") for line in text.splitlines())
    return {name.strip(): version.strip() for name, at, version in pairs if at}


def _machine(run: Run) -> dict[str, Any]:
    hardware: Mapping[str, Any] = run.record.hardware
    return {key: hardware[key] for key in MACHINE_KEYS if key in hardware}


PARTS: dict[str, Callable[[Run], dict[str, Any]]] = {
    "recipe": _recipe,
    "code": _code,
    "data": _data,
    "parents": _parents,
    "packages": _packages,
    "machine": _machine,
}
"""Part of a record -> what reads name and value from it, in the order they are told."""
