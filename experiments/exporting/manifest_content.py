"""What a manifest of exported files says, whether a run wrote them or a command."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any

from experiments.exporting.accuracy_loss import described
from featherface.errors import UnavailableError
from featherface.export.formats import FORMATS
from featherface.export.manifest import VALIDATED, entry
from featherface.progress import silent

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.exporting.accuracy_loss import Validation
    from featherface.export.formats import ExportConfig
    from featherface.export.writing import Artifact
    from featherface.progress import OnProgress

TOOLS = ("torch", "onnx", "onnxscript", "onnxruntime")
"""Distributions whose version decides what is written and how it computes."""


def tools() -> dict[str, str]:
    """Return the versions of Python, of this program, and of what it writes and runs files with."""
    versions = {name: metadata.version(name) for name in ("thesis", *TOOLS) if _installed(name)}
    return {"python": platform.python_version(), **versions}


def artifact_entry(
    artifact: Artifact,
    folder: Path,
    config: ExportConfig,
    judged: Validation | None,
    on_progress: OnProgress = silent,
) -> dict[str, Any]:
    """Return the manifest's entry of ARTIFACT below FOLDER, with its AP where it is JUDGED."""
    form = FORMATS[artifact.format]
    about = entry(artifact, folder)
    if artifact.format.startswith("onnx"):
        about["opset"] = config.opset
    if artifact.sizes:
        about["sizes"] = ", ".join(f"{width}×{height}" for height, width in artifact.sizes)
    if form.engine:
        about["engine"] = form.engine
    if judged is None or not form.engine:
        return about
    try:
        mine = judged.fitting(artifact, on_progress)
    except UnavailableError as error:
        return about | {"not_validated": error.message}
    validation = described(mine.losses(artifact, on_progress), mine)
    return about | {"status": VALIDATED, "validation": validation}


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
