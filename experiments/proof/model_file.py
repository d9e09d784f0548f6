"""Whether a file of a network still is what a run sealed, or what a manifest says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from experiments.records.run import Run
from experiments.records.seal import SEAL, read_seal
from featherface.engines.listed_files import MANIFEST, listed_digests
from featherface.errors import ClaimFalseError

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.metrics import Metric

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
    listed = listed_digests(manifest, path)
    if not listed:
        return ModelOrigin()
    if sha256 not in listed:
        raise ClaimFalseError(
            f"{path.name} is not the file that {manifest} lists: its SHA-256 is {sha256}",
            "export it again: thesis export",
        )
    return ModelOrigin(str(manifest.name))
