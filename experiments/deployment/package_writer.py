"""Writing a package: whole or not at all, and the same bytes for the same network."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from experiments.deployment import sample_picture
from experiments.deployment.contract import contract
from experiments.deployment.manifest import SCHEMA, as_text
from experiments.deployment.packaged_models import gather, look
from experiments.deployment.rendering import texts
from featherface.data.fingerprint import file_sha256
from featherface.engines.listed_files import MANIFEST
from featherface.errors import UsageError
from featherface.filesystem.atomic import beside, move
from featherface.filesystem.os_errors import unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.deployment.packaged_network import PackagedNetwork
    from experiments.records.store import Store


@dataclass(frozen=True)
class WrittenPackage:
    """A package on disk."""

    folder: Path
    manifest: dict[str, Any]
    warnings: tuple[str, ...]


def write_package(
    network: PackagedNetwork, folder: Path, store: Store | None = None
) -> WrittenPackage:
    """Write NETWORK's package into FOLDER, which must be new or empty.

    STORE is the one of the network's run: what the card tells of it is judged there.

    Raises:
        UsageError: FOLDER holds something.
        UnavailableError: it can't be written, or a file computes something else than the network.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} holds something already", "name a new folder: --output FOLDER")
    place = beside(folder)
    try:
        place.mkdir(parents=True)
        manifest, warnings = _fill(network, place, store)
        if folder.exists():
            folder.rmdir()
        move(place, folder)
    except OSError as error:
        raise unavailable(error, folder, verb="write the package into") from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return WrittenPackage(folder, manifest, tuple(warnings))


def _fill(
    network: PackagedNetwork, place: Path, store: Store | None
) -> tuple[dict[str, Any], list[str]]:
    warnings: list[str] = []
    models = gather(network, place, warnings)
    picture = sample_picture.drawn()
    threshold = look(models, place, sample_picture.pixels(picture), network)
    if threshold == 0:
        warnings.append(
            "the network finds no face in the packaged picture, so its weakest answers are kept to"
            " know it by: is it trained?"
        )
    warnings += [f"{each['path']}: {each['not_run']}" for each in models if each["not_run"]]
    manifest = _manifest(network, models, threshold)
    _write_pictures(place)
    for path, text in texts(network, manifest, store):
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    manifest["files"] = _files(place, {each["path"] for each in models})
    (place / MANIFEST).write_text(as_text(manifest), encoding="utf-8", newline="\n")
    return manifest, warnings


def _manifest(
    network: PackagedNetwork, models: list[dict[str, Any]], threshold: float
) -> dict[str, Any]:
    run = network.run
    width, height = sample_picture.drawn().size
    return {
        "schema": SCHEMA,
        "name": network.name,
        "made_by": f"thesis {metadata.version('thesis')}",
        "run": run.id if run else None,
        "seal": run.seal if run else None,
        "licence": network.licence or None,
        "network": {
            "variant": network.variant,
            "parameters": network.parameters,
            "weights_sha256": network.weights_sha256,
            "settings": asdict(network.config),
        },
        **contract(network.config),
        "models": models,
        "sample": {
            "picture": sample_picture.PICTURE,
            "pixmap": sample_picture.PIXMAP,
            "drawn": "by this program; nobody's face",
            "width": width,
            "height": height,
            "score_threshold": threshold,
            "tolerance": sample_picture.TOLERANCE,
        },
    }


def _write_pictures(place: Path) -> None:
    picture = sample_picture.drawn()
    for name, kind in ((sample_picture.PICTURE, "PNG"), (sample_picture.PIXMAP, "PPM")):
        target = place / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(sample_picture.encoded(picture, kind))


def _files(place: Path, models: set[str]) -> list[dict[str, Any]]:
    """Return the entries of all files but the MODELS, which have their own."""
    paths = sorted(path for path in place.rglob("*") if path.is_file())
    named = ((path.relative_to(place).as_posix(), path) for path in paths)
    return [
        {"path": name, "sha256": file_sha256(path), "bytes": path.stat().st_size}
        for name, path in named
        if name not in models
    ]
