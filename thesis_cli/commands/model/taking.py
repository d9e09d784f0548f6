"""`thesis model import`: weights that come from elsewhere, cleaned and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.variants.table import VARIANTS
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session

TAKES = ("average", "plain")
"""As `featherface.weights.wrappers.TAKES` (a test keeps the two equal)."""


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--variant", type=click.Choice(list(VARIANTS)), required=True, help="The network they fit."
)
@click.option(
    "--take",
    type=click.Choice(TAKES),
    default=TAKES[0],
    show_default=True,
    help="Where FILE holds plain weights and their moving average: which.",
)
@json_option
@pass_session
def import_weights(session: Session, file: Path, variant: str, take: str, as_json: bool) -> None:
    """Bring a published checkpoint into the workspace.

    Prefixes, wrappers and counter keys are stripped and reported; every tensor must fit VARIANT.
    A file that wants to run code on loading is refused.
    """
    del as_json
    emit(session, "model-import", bring_in(session, file, variant, take), view)


def bring_in(session: Session, file: Path, variant: str, take: str) -> dict[str, Any]:
    """Check and convert FILE; write it as safetensors under weights/."""
    from featherface.data.fingerprint import file_sha256
    from featherface.networks.detector import build
    from featherface.profiling.counting import parameters
    from featherface.weights.checkpoints import SOURCE_DIGEST, load_weights, save_weights
    from featherface.weights.published_weights import recognised

    workspace = session.workspace
    network = build(VARIANTS[variant].config, seed=0)
    cleaning = load_weights(network, file, variant, take=take)
    source = file_sha256(file)
    target = workspace.root / "weights" / f"{variant}-{source[:8]}.safetensors"
    origin = {"variant": variant, "source": file.name, SOURCE_DIGEST: source}
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
        "next": f"thesis run {variant} --set model.weights={where.as_posix()} --stage evaluate",
    }


def view(data: dict[str, Any]) -> list[Block]:
    """Tell what was cleaned, where the weights are, and what to type."""
    known = data["published"]
    return [
        f"read     {data['source']} (sha256 {data['source_sha256'][:12]}…)",
        *([f"known    {known}"] if known else []),
        *(f"cleaned  {sentence}" for sentence in data["cleaned"]),
        f"wrote    {data['weights']}: {data['parameters']:,} parameters of {data['variant']}",
        f"next     {data['next']}",
    ]
