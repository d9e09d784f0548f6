"""`thesis data compose`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.commands.data import locate
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("scenes")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--crops", required=True, type=click.Path(path_type=Path), help="CSV of pictures of one face."
)
@click.option("--split", default="train", show_default=True, help="Of the scenes.")
@click.option("--annotation", type=click.Path(path_type=Path), help="The annotation, if elsewhere.")
@click.option(
    "--pictures", type=click.IntRange(1), default=1000, show_default=True, help="Composites made."
)
@click.option(
    "--faces", type=click.IntRange(1, 100), default=4, show_default=True, help="Most per composite."
)
@click.option(
    "--largest",
    type=click.FloatRange(0.05, 1),
    default=0.6,
    show_default=True,
    help="Longest side of a pasted face, a share of the scene's short side.",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0, 0.5),
    default=0.1,
    show_default=True,
    help="Share of scenes and people that make the val split.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
@pass_session
def compose(  # noqa: PLR0913 - one parameter per option
    session: Session,
    /,
    scenes: str,
    out: Path,
    *,
    crops: Path,
    split: str,
    annotation: Path | None,
    pictures: int,
    faces: int,
    largest: float,
    held_out: float,
    seed: int,
    as_json: bool,
) -> None:
    """Make a data set by pasting faces into scenes.

    SCENES is a folder, or a name of [data] in thesis.toml; OUT is a folder of its own.
    """
    del as_json
    from featherface.data.augmentation.crops import read_crops
    from featherface.data.formats import conversion
    from featherface.data.synthetic import composed_dataset
    from thesis_cli.interrupts import stoppable
    from thesis_cli.progress import progress

    there = conversion.open_any(locate(session, scenes), split, None, annotation)
    config = composed_dataset.CompositeConfig(
        pictures=pictures, held_out=held_out, most=faces, largest=largest, seed=seed
    )
    people = read_crops(crops)
    with progress(session) as reporter, stoppable() as should_stop:
        made = composed_dataset.compose_set(there, people, out, config, reporter, should_stop)
    for what, count in there.annotations.skipped.items():
        session.warn(f"{count:,}: {what}")
    splits = [
        {"split": name, "images": split.images, "faces": split.faces, "pasted": split.pasted}
        for name, split in made.items()
    ]
    answer = {"scenes": there.root, "crops": crops, "out": out, "splits": splits}
    emit(session, "data-compose", answer, view)


def view(answer: dict[str, Any]) -> list[Block]:
    """Tell what was made."""
    rows = [
        [split["split"], *(f"{split[key]:,}" for key in ("images", "faces", "pasted"))]
        for split in answer["splits"]
    ]
    facts = {"written": str(answer["out"])}
    return [Grid(["split", ">pictures", ">faces", ">of them pasted"], rows, facts=facts)]
