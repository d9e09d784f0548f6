"""`thesis data preview`: what augmentation makes of pictures, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.training.config.train import AUGMENTATIONS, TrainConfig
from thesis_cli.commands.data import locate
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("root", required=False)
@click.option("--split", default="train", show_default=True, help="train or val.")
@click.option(
    "--annotation", type=click.Path(path_type=Path), help="The split's annotation, if elsewhere."
)
@click.option(
    "--augmentation",
    "names",
    multiple=True,
    type=click.Choice(AUGMENTATIONS),
    help="One to show; may be repeated. Default: every one there is.",
)
@click.option("--experiment", metavar="NAME", help="Show what this recipe's training sees instead.")
@click.option(
    "--count", default=3, show_default=True, type=click.IntRange(1, 12), help="Pictures of each."
)
@click.option("--seed", default=0, show_default=True, help="The same one shows the same changes.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("preview.png"),
    show_default=True,
    help="Picture to write.",
)
@json_option
@pass_session
def preview(  # noqa: PLR0913 - one parameter per option
    session: Session,
    /,
    *,
    root: str | None,
    split: str,
    annotation: Path | None,
    names: tuple[str, ...],
    experiment: str | None,
    count: int,
    seed: int,
    output: Path,
    as_json: bool,
) -> None:
    """Draw pictures before and after augmentation, with boxes and landmarks.

    ROOT is a folder, or a name of [data] in thesis.toml; `synthetic` is the set drawn last. With
    an experiment it may be left out, and a row shows all of its augmentations together.
    """
    del as_json
    from featherface.data.widerface import open_split
    from featherface.inference.drawing import save
    from featherface.training.preview import PIPELINE, sheet
    from featherface.training.preview import preview as show

    if experiment is None:
        config, folder = TrainConfig(), locate(session, root or "synthetic")
    else:
        config, folder = of_experiment(session, experiment, root)
        names = names or (
            *(
                augmentation
                for augmentation in AUGMENTATIONS
                if augmentation in config.augmentations
            ),
            PIPELINE,
        )
    opened = open_split(folder, split, annotation)
    rows = show(opened, config, names or AUGMENTATIONS, count=count, seed=seed)
    save(sheet(rows), output)
    shown = [
        {"augmentation": name, "pictures": [pair.facts() for pair in pairs]}
        for name, pairs in rows.items()
    ]
    answer = {"output": output, "root": folder, "split": split, "seed": seed, "rows": shown}
    emit(session, "data-preview", answer, preview_view)


def of_experiment(session: Session, name: str, root: str | None) -> tuple[TrainConfig, Path]:
    """Return how the experiment NAME trains, and its data where ROOT names none."""
    from experiments.recipe.resolve import resolve
    from experiments.running.inputs import data_folder
    from thesis_cli.progress import progress

    recipe = resolve(name, session.workspace).recipe
    if root is not None:
        return recipe.train, locate(session, root)
    with progress(session) as reporter:
        return recipe.train, data_folder(session.workspace, recipe, reporter)


def preview_view(answer: dict[str, Any]) -> list[Block]:
    """Tell where the sheet is and how many faces went in and came out."""
    rows = [
        [
            row["augmentation"],
            f"{sum(picture['changed'] for picture in row['pictures'])} of {len(row['pictures'])}",
            f"{sum(picture['faces_before'] for picture in row['pictures']):,}",
            f"{sum(picture['faces_after'] for picture in row['pictures']):,}",
        ]
        for row in answer["rows"]
    ]
    facts = {"sheet": str(answer["output"]), "data": f"{answer['split']} in {answer['root']}"}
    head = ["augmentation", "changed", ">faces before", ">faces after"]
    return [Grid(head, rows, facts=facts)]
