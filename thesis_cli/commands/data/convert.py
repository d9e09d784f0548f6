"""`thesis data convert`."""

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

LAYOUTS = ("widerface", "yolo", "coco")
"""Keys of `featherface.data.formats.conversion.LAYOUTS` (a test keeps the two equal)."""


@click.command(cls=Command)
@click.argument("root")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", required=True, type=click.Choice(LAYOUTS), help="The layout to write.")
@click.option(
    "--from", "source", type=click.Choice(LAYOUTS), help="The layout there; told by its files."
)
@click.option("--split", default="val", show_default=True, help="train, val or another name.")
@click.option("--annotation", type=click.Path(path_type=Path), help="The annotation, if elsewhere.")
@click.option(
    "--boxes",
    type=click.Choice(["sizes", "corners"]),
    default="sizes",
    show_default=True,
    help="How ROOT has them: x y width height, or x1 y1 x2 y2 as in SCRFD's labels.",
)
@click.option(
    "--images",
    type=click.Choice(["copy", "link", "none"]),
    default="copy",
    show_default=True,
    help="Copy the pictures, link them (no room needed), or leave them.",
)
@json_option
@pass_session
def convert(  # noqa: PLR0913 - one parameter per option
    session: Session,
    /,
    root: str,
    out: Path,
    *,
    to: str,
    source: str | None,
    split: str,
    annotation: Path | None,
    boxes: str,
    images: str,
    as_json: bool,
) -> None:
    """Write one split of a data set in another layout.

    ROOT is a folder, or a name of [data] in thesis.toml; OUT is a folder of its own. What the new
    layout can't hold is counted.
    """
    del as_json
    from featherface.data.formats import conversion
    from thesis_cli.interrupts import stoppable
    from thesis_cli.progress import progress

    corners = boxes == "corners"
    there = conversion.open_any(locate(session, root), split, source, annotation, corners=corners)
    if corners:
        session.note(f"{there.annotations.faces:,} boxes were read as corners, x1 y1 x2 y2")
    with progress(session) as reporter, stoppable() as should_stop:
        done = conversion.convert(there, to, out, images, reporter, should_stop)
    for what, count in {**there.annotations.skipped, **done.changed}.items():
        session.warn(f"{count:,}: {what}")
    answer = {
        "root": there.root,
        "out": out,
        "split": split,
        "to": to,
        "images": done.images,
        "faces": done.faces,
        "changed": dict(done.changed),
        "files": list(done.files),
    }
    emit(session, "data-convert", answer, view)


def view(answer: dict[str, Any]) -> list[Block]:
    """Tell what was written."""
    facts = {
        "written": f"{answer['split']} as {answer['to']} in {answer['out']}",
        "pictures": f"{answer['images']:,}",
        "faces": f"{answer['faces']:,}",
    }
    return [Grid(["file"], [[str(path)] for path in answer["files"]], facts=facts)]
