"""The models of a package: those that a run exported, and an ONNX file in any case."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from experiments.deployment.sample_picture import MOST, THRESHOLDS, faces
from featherface.data.fingerprint import file_sha256
from featherface.engines.opening import engine_of, open_file
from featherface.errors import ThesisError
from featherface.export.formats import ExportConfig
from featherface.export.writing import export

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from experiments.deployment.packaged_network import PackagedNetwork
    from featherface.engines.engine import Engine

MODELS = "models"
ONNX = "onnx"
"""Format that the examples run; written anew where the run has none that this version opens."""
PARITY_SIZES = ((320, 320), (240, 336))
NOT_RUN = "converted, not run: no engine here runs such files"


def gather(network: PackagedNetwork, folder: Path, warnings: list[str]) -> list[dict[str, Any]]:
    """Put NETWORK's models into FOLDER/models; return their entries, the default one first."""
    place = folder / MODELS
    place.mkdir(parents=True)
    entries = [_taken(about, network, place, warnings) for about in network.artifacts()]
    kept = [entry for entry in entries if entry is not None]
    usable = next((entry for entry in kept if entry["format"] == ONNX and entry["opens"]), None)
    default = usable or _written(network, place)
    rest = [entry for entry in kept if entry["path"] != default["path"]]
    return [
        {key: value for key, value in entry.items() if key != "opens"} | {"default": at == 0}
        for at, entry in enumerate((default, *rest))
    ]


def look(
    entries: list[dict[str, Any]],
    folder: Path,
    picture: NDArray[np.uint8],
    network: PackagedNetwork,
) -> float:
    """Add to each of ENTRIES what its model finds in PICTURE; return above which score.

    The score is the highest of `THRESHOLDS` at which the default model finds a face.
    """
    engine = open_file(folder / entries[0]["path"])
    found, threshold = [], 0.0
    for threshold in THRESHOLDS:
        found = faces(engine, picture, threshold)
        if found:
            break
    entries[0].update(detections=found[:MOST], not_run=None)
    for entry in entries[1:]:
        entry.update(_looked(folder / entry["path"], picture, threshold, network))
    return threshold


def opened(path: Path) -> Engine | str:
    """Open the model at PATH, or say why it can't be run here."""
    if engine_of(path) is None:
        return NOT_RUN
    try:
        return open_file(path)
    except ThesisError as error:
        return error.message


def _looked(
    path: Path, picture: NDArray[np.uint8], threshold: float, network: PackagedNetwork
) -> dict[str, Any]:
    engine = opened(path)
    if isinstance(engine, str):
        return {"detections": None, "not_run": engine.replace(str(path), path.name)}
    if engine.config != network.config:
        return {"detections": None, "not_run": "its settings are another network's"}
    try:
        found = faces(engine, picture, threshold)
    except ThesisError as error:
        return {"detections": None, "not_run": error.message}
    return {"detections": found[:MOST], "not_run": None}


def _taken(
    about: Mapping[str, Any], network: PackagedNetwork, place: Path, warnings: list[str]
) -> dict[str, Any] | None:
    """Copy a file that the run exported; None, and a warning, where there is no such file."""
    assert network.run is not None  # noqa: S101 - artefacts come from a run
    source = network.run.folder / str(about.get("path", ""))
    if not source.is_file():
        warnings.append(f"not packaged: {about.get('path')} of {network.run.id} is no single file")
        return None
    target = place / source.name
    shutil.copyfile(source, target)
    beside = source.with_name(f"{source.name}.json")
    if beside.is_file():
        shutil.copyfile(beside, place / beside.name)
    engine = opened(target)
    opens = not isinstance(engine, str) and engine.config == network.config
    if not opens and about.get("format") == ONNX:
        warnings.append(f"{source.name} of {network.run.id} is written anew: {_reason(engine)}")
    return {**_described(target), "format": str(about.get("format", "")), "opens": opens} | {
        "parity": about.get("parity")
    }


def _reason(engine: Engine | str) -> str:
    return engine if isinstance(engine, str) else "its settings are not the run's"


def _written(network: PackagedNetwork, place: Path) -> dict[str, Any]:
    """Export the network to ONNX; its answers are compared with PyTorch's on the way."""
    config = ExportConfig(formats=(ONNX,), parity_sizes=PARITY_SIZES)
    (artifact,) = export(network.model, config, place, network.name, network.variant)
    return {**_described(artifact.path), "format": ONNX, "opens": True, "parity": artifact.parity}


def _described(path: Path) -> dict[str, Any]:
    return {
        "path": f"{MODELS}/{path.name}",
        "engine": engine_of(path),
        "sha256": file_sha256(path),
        "bytes": path.stat().st_size,
    }
