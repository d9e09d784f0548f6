"""Whether a file of a network still is what a run sealed, or what a manifest says of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from experiments.records.run import Run
from experiments.records.seal import SEAL, read_seal
from featherface.errors import ClaimFalseError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from experiments.metrics import Metric

MANIFEST = "manifest.json"
DEEPEST = 3
"""Folders above a file in which its record or manifest is looked for."""


@dataclass(frozen=True)
class ModelOrigin:
    """Where a file of a network comes from, as far as that is proved."""

    checked_by: str = ""
    """What its digest was compared with; empty where there is nothing."""
    run: str = ""
    """The run whose record holds it; empty for none."""
    seal: str = ""
    metrics: tuple[Metric, ...] = field(default=())
    """What that run measured."""


def origin_of(path: Path, sha256: str) -> ModelOrigin:
    """Compare the file at PATH, whose digest is SHA256, with the seal or manifest that names it.

    Raises:
        ClaimFalseError: it is another file than was sealed or listed.
        DataError: seal or manifest can't be read.
    """
    path = path.resolve()
    folders = list(path.parents[:DEEPEST])
    record = next((folder for folder in folders if (folder / SEAL).is_file()), None)
    if record is not None:
        return _sealed(record, path, sha256)
    manifest = next((folder for folder in folders if (folder / MANIFEST).is_file()), None)
    if manifest is not None:
        return _listed(manifest / MANIFEST, path, sha256)
    return ModelOrigin()


def _sealed(folder: Path, path: Path, sha256: str) -> ModelOrigin:
    run, name = Run(folder), path.relative_to(folder).as_posix()
    entry = read_seal(folder).files.get(name)
    if entry is None or entry["sha256"] != sha256:
        fault = "is no part of" if entry is None else "is not what was sealed in"
        raise ClaimFalseError(f"{path.name} {fault} {run.id}", f"thesis runs verify {run.id}")
    return ModelOrigin(f"seal of {run.id}", run.id, run.seal, tuple(run.metrics))


def _listed(manifest: Path, path: Path, sha256: str) -> ModelOrigin:
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{manifest}: can't be read: {error}", "export it again") from error
    listed = {
        entry["sha256"] for entry in _entries(content) if _names(entry["path"], path, manifest)
    }
    if not listed:
        return ModelOrigin()
    if sha256 not in listed:
        raise ClaimFalseError(
            f"{path.name} is not the file that {manifest} lists: its SHA-256 is {sha256}",
            "export it again: thesis export",
        )
    return ModelOrigin(str(manifest.name))


def _entries(content: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects in CONTENT, at any depth, that give a file's path and digest."""
    if isinstance(content, dict):
        if isinstance(content.get("path"), str) and isinstance(content.get("sha256"), str):
            yield content
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _entries(each)


def _names(listed: str, path: Path, manifest: Path) -> bool:
    """Whether LISTED, relative to the manifest's folder or one above it, is PATH."""
    wanted = PurePosixPath(listed).parts
    inside = path.relative_to(manifest.parent).parts
    return path.parts[-len(wanted) :] == wanted and inside[-1] == wanted[-1]
