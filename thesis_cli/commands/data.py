"""`thesis data`: the synthetic set, and what a data set holds."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.data.config import SyntheticConfig
from featherface.errors import DataError
from thesis_cli.grid import Grid
from thesis_cli.groups import Verbs, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.group(cls=Verbs)
def data() -> None:
    """Draw the synthetic set; describe a data set."""


@data.command()
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
    from featherface.data.synthetic import draw
    from thesis_cli.progress import progress

    config = SyntheticConfig(**{key: value for key, value in given.items() if value is not None})
    root = folder or own_set(session, config)
    with progress(session) as reporter:
        draw(root, config, on_progress=reporter)
    answer = {
        "root": root,
        "config": {field.name: getattr(config, field.name) for field in fields(config)},
        "splits": [describe(root, split) for split in ("train", "val")],
    }
    emit(session, "data-synth", answer, synth_view)


def own_set(session: Session, config: SyntheticConfig) -> Path:
    """Name the folder where runs of this workspace look for the set of CONFIG."""
    from experiments.inputs import synthetic_folder

    folder = synthetic_folder(session.workspace, config)
    folder.parent.mkdir(parents=True, exist_ok=True)
    return folder


def drawn(folder: Path) -> Path:
    """Choose the set in FOLDER: the last one that was drawn below it, else FOLDER itself."""
    sets = sorted(folder.glob("*/synthetic.json"), key=lambda path: path.stat().st_mtime)
    return sets[-1].parent if sets else folder


def describe(root: Path, split: str, annotation: Path | None = None) -> dict[str, Any]:
    """Count what a split holds."""
    from featherface.data.statistics import statistics
    from featherface.data.widerface import open_split

    return statistics(open_split(root, split, annotation))


def synth_view(answer: dict[str, Any]) -> list[Block]:
    """Tell where the set is and how large."""
    return [
        f"synthetic set in {answer['root']}",
        *(
            f"  {each['split']}: {each['images']:,} pictures, {each['faces']:,} faces"
            for each in answer["splits"]
        ),
        f"next: thesis data stats {answer['root']}",
    ]


@data.command()
@click.argument("root", default="synthetic")
@click.option("--split", default="val", show_default=True, help="train or val.")
@click.option(
    "--annotation", type=click.Path(path_type=Path), help="The split's annotation, if elsewhere."
)
@json_option
@pass_session
def stats(session: Session, root: str, split: str, annotation: Path | None, as_json: bool) -> None:
    """Count pictures, faces, sizes and attributes of a data set.

    ROOT is a folder, or a name of [data] in thesis.toml; `synthetic` is the set drawn last.
    """
    del as_json
    folder = Path(root)
    if not folder.is_dir():
        folder = session.workspace.data_root(root)
    if root == "synthetic" and not folder.is_dir():
        raise DataError(f"no synthetic set was drawn yet in {folder}", "thesis data synth")
    found = describe(drawn(folder), split, annotation)
    for reason, count in found["skipped"].items():
        session.warn(f"{count:,} skipped: {reason}")
    emit(session, "data-stats", found, stats_view)


def stats_view(found: dict[str, Any]) -> list[Block]:
    """Show counts, then heights and attributes."""
    facts = {
        "data": f"{found['kind']} {found['split']} in {found['root']}",
        "pictures": f"{found['images']:,} ({found['images_without_faces']:,} without faces)",
        "faces": f"{found['faces']:,} ({found['faces_with_landmarks']:,} with landmarks)",
    }
    heights = [[f"{edge} px", f"{count:,}"] for edge, count in found["height_px"].items()]
    attributes = [
        [name, value, f"{count:,}"]
        for name, counts in found["attributes"].items()
        for value, count in counts.items()
    ]
    return [
        Grid(["height from", ">faces"], heights, facts=facts),
        Grid(["attribute", "value", ">faces"], attributes),
    ]
