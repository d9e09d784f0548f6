"""The manifest beside exported files: what each is, and whether it still is what was written."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from featherface.engines.listed_files import MANIFEST
from featherface.errors import DataError, NotFoundError, UsageError
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featherface.export.writing import Artifact
    from featherface.networks.detector import Detector

SCHEMA = "thesis/export-manifest/1"
VALIDATED, COMPARED, CONVERTED = "validated", "compared", "converted, not run"
"""What was shown of a file here: its AP, its answers on a few pictures, or nothing."""


def entry(artifact: Artifact, folder: Path) -> dict[str, Any]:
    """Return what a manifest says of ARTIFACT, its path relative to FOLDER."""
    return {
        "path": artifact.path.relative_to(folder).as_posix(),
        "format": artifact.format,
        "sha256": artifact.sha256,
        "megabytes": artifact.megabytes,
        "parity": artifact.parity,
        "landmarks_parity": artifact.landmarks_parity,
        "status": CONVERTED if artifact.parity is None else COMPARED,
        **({"details": dict(artifact.details)} if artifact.details else {}),
    }


def input_contract(model: Detector) -> dict[str, Any]:
    """Return what MODEL's files take in."""
    config = model.config
    return {
        "name": "images",
        "shape": ["batch", 3, "height", "width"],
        "type": "float32",
        "size_multiple": 1,
        "pixels": "blue, green, red in 0..255, less pixel_mean_bgr, times pixel_scale, then in"
        " channel_order",
        "pixel_mean_bgr": list(config.pixel_mean),
        "pixel_scale": config.pixel_scale,
        "channel_order": config.channel_order,
    }


def write_manifest(folder: Path, content: Mapping[str, Any]) -> Path:
    """Write CONTENT as the manifest in FOLDER; `artifacts` are its entries."""
    path = folder / MANIFEST
    text = json.dumps({"schema": SCHEMA, **content}, ensure_ascii=False, indent=2)
    write_atomic(path, f"{text}\n")
    return path


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest in FOLDER.

    Raises:
        NotFoundError: there is none.
        DataError: it is damaged, or no manifest of exported files.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(
            f"there is no {MANIFEST} in {folder}", f"thesis export --output {folder} writes one"
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read: {error}", "write the files again") from error
    artifacts = content.get("artifacts") if isinstance(content, dict) else None
    needed = ("path", "sha256", "format")
    if not isinstance(artifacts, list) or not all(
        isinstance(each, dict) and all(isinstance(each.get(key), str) for key in needed)
        for each in artifacts
    ):
        raise DataError(f"{path} is no manifest of exported files", "write the files again")
    manifest: dict[str, Any] = content
    return manifest


def file_of(folder: Path, about: Mapping[str, Any]) -> Path:
    """Return the file that entry ABOUT of the manifest in FOLDER names.

    Its path starts at FOLDER, in a run's record at the folder above.

    Raises:
        UsageError: it leads elsewhere.
    """
    path = PurePosixPath(about["path"])
    if path.is_absolute() or ".." in path.parts or ":" in about["path"] or "\\" in about["path"]:
        raise UsageError(f"{folder / MANIFEST}: {about['path']!r} leads out of the folder")
    inside = folder / path
    return folder.parent / path if path.parts[0] == folder.name and not inside.exists() else inside


def faults(folder: Path) -> list[str]:
    """Say of each file of the manifest in FOLDER what is wrong with it; empty where all hold.

    Raises:
        NotFoundError, DataError, UsageError: as `read_manifest` and `file_of`.
    """
    return [
        fault for about in read_manifest(folder)["artifacts"] if (fault := _fault(folder, about))
    ]


def _fault(folder: Path, about: Mapping[str, Any]) -> str:
    path = file_of(folder, about)
    if not path.is_file():
        return f"{about['path']} is missing"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != about["sha256"]:
        return (
            f"{about['path']} is not what was written: SHA-256 {digest[:12]},"
            f" {about['sha256'][:12]} in the manifest"
        )
    return ""
