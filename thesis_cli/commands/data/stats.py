"""`thesis data stats`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.commands.data import describe, locate
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("root", default="synthetic")
@click.option("--split", default="val", show_default=True, help="train or val.")
@click.option(
    "--annotation", type=click.Path(path_type=Path), help="The split's annotation, if elsewhere."
)
@click.option(
    "--plots",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Draw heights, faces per picture and attributes into DIR.",
)
@json_option
@pass_session
def stats(
    session: Session,
    root: str,
    split: str,
    annotation: Path | None,
    plots: Path | None,
    as_json: bool,
) -> None:
    """Count pictures, faces, sizes and attributes of a data set.

    ROOT is a folder in WIDER FACE's, YOLO's or COCO's layout, or a name of [data] in thesis.toml;
    `synthetic` is the set drawn last.
    """
    del as_json
    from featherface.data.formats.conversion import open_any

    there = open_any(locate(session, root), split, annotation=annotation)
    statistics = describe(there)
    for reason, count in statistics["skipped"].items():
        session.warn(f"{count:,} skipped: {reason}")
    statistics["plots"] = []
    if plots:
        from experiments.plotting.data_plots import draw_statistics
        from featherface.filesystem.atomic import write_atomic

        for name, content in draw_statistics(there, session.document_language).items():
            path = plots / f"{split}-{name}.png"
            write_atomic(path, content)
            statistics["plots"].append(path)
    emit(session, "data-stats", statistics, stats_view)


def stats_view(statistics: dict[str, Any]) -> list[Block]:
    """Show counts, then heights and attributes."""
    from featherface.data.fingerprint import split_digest

    empty = statistics["images_without_faces"]
    facts = {
        "data": f"{statistics['kind']} {statistics['split']} in {statistics['root']}",
        "pictures": f"{statistics['images']:,} ({empty:,} without faces)",
        "faces": f"{statistics['faces']:,} ({statistics['faces_with_landmarks']:,} with landmarks)",
    }
    crowds = [
        [name, f"{count:,}"] for name, count in statistics["faces_per_image"]["counts"].items()
    ]
    heights = [[f"{edge} px", f"{count:,}"] for edge, count in statistics["height_px"].items()]
    attributes = [
        [name, value, f"{count:,}"]
        for name, counts in statistics["attributes"].items()
        for value, count in counts.items()
    ]
    facts["fingerprint"] = split_digest(statistics["fingerprint"])[:16]
    drawn = [f"drawn: {path}" for path in statistics["plots"]]
    return [
        Grid(["height from", ">faces"], heights, facts=facts),
        "",
        Grid(["faces in a picture", ">pictures"], crowds),
        "",
        Grid(["attribute", "value", ">faces"], attributes),
        *drawn,
    ]
