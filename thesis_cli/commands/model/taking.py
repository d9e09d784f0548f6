"""`thesis model import`: weights that come from elsewhere, cleaned and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.errors import UsageError
from thesis_cli.groups import Command, pass_session
from thesis_cli.networks.loading import settle
from thesis_cli.networks.options import Chosen, settings_option, variant_option
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig
    from thesis_cli.session import Session

TAKES = ("average", "plain")
"""As `featherface.weights.wrappers.TAKES` (a test keeps the two equal)."""


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@variant_option
@settings_option
@click.option(
    "--take",
    type=click.Choice(TAKES),
    default=TAKES[0],
    show_default=True,
    help="Where FILE holds plain weights and their moving average: which.",
)
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    metavar="PICTURES",
    help="A folder of photographs with faces: see on them whether other settings fit better.",
)
@json_option
@pass_session
def import_weights(
    session: Session,
    *,
    file: Path,
    variant: str | None,
    settings: tuple[str, ...],
    take: str,
    check: Path | None,
    as_json: bool,
) -> None:
    """Bring a published checkpoint into the workspace.

    Prefixes, wrappers and counter keys are stripped and reported; every tensor must fit the
    network. Its settings go into the file: what the checkpoint itself tells, what is known of it,
    or its variant's, and what --set says. A file that wants to run code on loading is refused.
    """
    del as_json
    chosen = Chosen(variant, file, None, settings)
    emit(session, "model-import", bring_in(session, chosen, take, check), view)


def bring_in(session: Session, chosen: Chosen, take: str, pictures: Path | None) -> dict[str, Any]:
    """Check and convert the file of weights; write it as safetensors under weights/."""
    from featherface.data.fingerprint import file_sha256
    from featherface.networks.detector import build
    from featherface.profiling.counting import parameters
    from featherface.weights.checkpoints import load_weights, save_weights
    from featherface.weights.network_settings import SOURCE_DIGEST, VARIANT
    from featherface.weights.published_weights import recognised

    workspace = session.workspace
    subject = settle(session, chosen)
    file, variant = subject.weights, subject.variant
    assert file is not None  # noqa: S101 - an argument of the command
    network = build(subject.config, seed=0)
    cleaning = load_weights(network, file, variant, take=take)
    if pictures is not None:
        tell_misfit(session, network, subject.config, pictures)
    source = file_sha256(file)
    target = workspace.root / "weights" / f"{variant}-{source[:8]}.safetensors"
    origin = {VARIANT: variant, "source": file.name, SOURCE_DIGEST: source}
    save_weights(target, network, origin)
    where, known = target.relative_to(workspace.root), recognised(source)
    return {
        "variant": variant,
        "source": file,
        "source_sha256": source,
        "published": known.title if known else None,
        "weights": where,
        "sha256": file_sha256(target),
        "parameters": parameters(network),
        "cleaned": cleaning.sentences(),
        "settings": subject.changed,
        "next": f"thesis run {variant} --set model.weights={where.as_posix()} --stage evaluate",
    }


def tell_misfit(
    session: Session, network: Detector, config: DetectorConfig, pictures: Path
) -> None:
    """Say whether other settings fit the weights better on PICTURES.

    Raises:
        UsageError: there are too few to tell.
    """
    from featherface.data.images import list_images
    from featherface.inference.running_statistics import ENOUGH, better_settings

    paths = list(list_images(pictures))
    if len(paths) < ENOUGH:
        raise UsageError(
            f"--check {pictures} holds {len(paths)} pictures, too few to tell",
            f"give a folder with {ENOUGH} or more photographs with faces",
        )
    if misfit := better_settings(network, config, paths):
        session.warn(misfit)
    else:
        session.note("the running statistics of these weights name no settings that fit better")


def view(data: dict[str, Any]) -> list[Block]:
    """Tell what was cleaned, where the weights are, and what to type."""
    from featherface.weights.network_settings import shown

    known = data["published"]
    return [
        f"read     {data['source']} (sha256 {data['source_sha256'][:12]}…)",
        *([f"known    {known}"] if known else []),
        *(f"cleaned  {sentence}" for sentence in data["cleaned"]),
        *(f"setting  {key}: {shown(value)}" for key, value in data["settings"].items()),
        f"wrote    {data['weights']}: {data['parameters']:,} parameters of {data['variant']}",
        f"next     {data['next']}",
    ]
