"""`thesis data synth`."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.wording.shell_quote import command
from featherface.data.config import SyntheticConfig
from thesis_cli.calling import called
from thesis_cli.commands.data import describe
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--image-size", type=int, help="Side of each picture, pixels.")
@click.option("--train-images", type=int, help="Pictures to train on.")
@click.option("--val-images", type=int, help="Pictures to validate on.")
@click.option("--seed", type=int, help="Everything drawn follows from it.")
@json_option
@pass_session
def synth(session: Session, /, folder: Path | None, as_json: bool, **given: int | None) -> None:
    """Draw the synthetic set in WIDER FACE's layout.

    FOLDER defaults to the workspace's own. A set that is there with the same settings is kept.
    """
    del as_json
    from featherface.data.synthetic.dataset import draw
    from featherface.data.widerface import open_split
    from thesis_cli.progress import progress

    config = SyntheticConfig(**{key: value for key, value in given.items() if value is not None})
    root = folder or own_set(session, config)
    with progress(session) as reporter:
        draw(root, config, on_progress=reporter)
    answer = {
        "root": root,
        "config": {field.name: getattr(config, field.name) for field in fields(config)},
        "splits": [describe(open_split(root, split)) for split in ("train", "val")],
    }
    emit(session, "data-synth", answer, synth_view)


def own_set(session: Session, config: SyntheticConfig) -> Path:
    """Name the folder where runs of this workspace look for the set of CONFIG."""
    from experiments.running.inputs import synthetic_folder

    folder = synthetic_folder(session.workspace, config)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def synth_view(answer: dict[str, Any]) -> list[Block]:
    """Tell where the set is and how large."""
    look = command(["thesis", "data", "stats", str(answer["root"])])
    return [
        f"synthetic set in {answer['root']}",
        *(
            f"  {each['split']}: {each['images']:,} pictures, {each['faces']:,} faces"
            for each in answer["splits"]
        ),
        f"next: {called(look)}",
    ]
