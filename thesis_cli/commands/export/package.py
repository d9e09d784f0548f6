"""`thesis export package`: a folder that takes a network to where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.errors import UsageError
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.networks.loading import build, settle
from thesis_cli.networks.options import Chosen, source_options
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from experiments.deployment.package_writer import WrittenPackage
    from experiments.deployment.packaged_network import PackagedNetwork
    from experiments.records.store import Store
    from thesis_cli.session import Session


@click.command(cls=Command)
@source_options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER",
    help="The package's folder, new or empty.",
)
@click.option(
    "--licence", default="", metavar="TEXT", help="What the maker of the weights permits."
)
@json_option
@pass_session
def package(session: Session, *, chosen: Chosen, output: Path, licence: str, as_json: bool) -> None:
    """Write a folder to deploy a network from.

    It holds the models (those that the run exported, an ONNX file in any case), a manifest with
    digests and the input contract, a model card, examples in Python, C++ and JavaScript, a
    Dockerfile, manifests for Kubernetes, handlers for AWS Lambda and Azure Functions, and a guide;
    pages in English and French. Every number of the card names its run and seal.
    """
    del as_json
    from experiments.deployment.package_writer import write_package

    network, store = subject(session, chosen, licence)
    written = write_package(network, output, store)
    for warning in written.warnings:
        session.warn(warning)
    if not licence:
        session.warn(
            "the card says that nobody has stated a licence of the weights: --licence TEXT"
        )
    emit(session, "export-package", told(written), view)


def subject(session: Session, chosen: Chosen, licence: str) -> tuple[PackagedNetwork, Store | None]:
    """Build the network that was CHOSEN; with its run, the store that holds it."""
    from experiments.deployment.packaged_network import PackagedNetwork
    from experiments.records.store import Store

    named = settle(session, chosen)
    if named.weights is None:
        raise UsageError("no weights: name them by --weights FILE, or a run by --run SELECTOR")
    if chosen.run is not None and chosen.settings:
        raise UsageError(
            "--set changes the network, and the run's numbers are of another then",
            "leave --set out, or name the weights: --variant V --weights FILE",
        )
    store = Store(session.workspace) if chosen.run is not None else None
    run = store.find(str(chosen.run)) if store else None
    model = build(session, named).eval()
    return PackagedNetwork(model, named.variant, named.weights, run, licence), store


def told(written: WrittenPackage) -> dict[str, Any]:
    """Return what is told of a package."""
    manifest = written.manifest
    return {
        "package": written.folder,
        "name": manifest["name"],
        "run": manifest["run"],
        "seal": manifest["seal"],
        "models": [
            {key: each[key] for key in ("path", "format", "engine", "sha256", "bytes", "not_run")}
            | {"faces": None if each["detections"] is None else len(each["detections"])}
            for each in manifest["models"]
        ],
        "files": len(manifest["files"]) + len(manifest["models"]) + 1,
        "next": f"thesis export verify {written.folder.as_posix()}",
    }


def view(data: dict[str, Any]) -> list[Block]:
    """Tell what was written, and what each model finds in the packaged picture."""
    proof = f", proved by {data['run']}" if data["run"] else ", no run proves its numbers"
    rows = [
        [each["path"], each["format"], f"{each['bytes'] / 1e6:.2f} MB", found(each)]
        for each in data["models"]
    ]
    return [
        f"written: {data['package'].as_posix()}, {data['files']} files{proof}",
        Grid(["model", "format", "size", "~faces in the packaged picture"], rows),
        f"check it any time: {data['next']}",
    ]


def found(model: dict[str, Any]) -> str:
    """Say how many faces MODEL finds, or why it was not run."""
    return str(model["not_run"] or model["faces"])
