"""`thesis data download`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.data.archives import ARCHIVES
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from thesis_cli.session import Session

NAME = "widerface"
"""What [data] in thesis.toml calls it."""


@click.command(cls=Command)
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--part", "parts", multiple=True, type=click.Choice(list(ARCHIVES)), help="Only this; repeat."
)
@click.option("--no-unpack", is_flag=True, help="Fetch and check the archives only.")
@click.option("--dry-run", is_flag=True, help="Tell what would be fetched, from where, how large.")
@json_option
@pass_session
def download(
    session: Session,
    folder: Path | None,
    parts: tuple[str, ...],
    no_unpack: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Fetch WIDER FACE's official archives, check them, unpack them.

    FOLDER defaults to `widerface` of [data] in thesis.toml, else to data/widerface in the
    workspace. An interrupted download goes on where it stopped; an archive that lies in FOLDER
    already is checked and unpacked. Without a network it says what to place where. The pictures
    are for research only; see the terms of their authors.
    """
    del as_json
    root = folder or home(session)
    chosen = parts or tuple(ARCHIVES)
    answer: dict[str, Any] = {
        "folder": root,
        "dry_run": dry_run,
        "archives": [
            {
                "part": part,
                "file": root / ARCHIVES[part].name,
                "url": ARCHIVES[part].url,
                "bytes": ARCHIVES[part].size,
                "sha256": ARCHIVES[part].sha256,
                "unpacked": None,
            }
            for part in chosen
        ],
    }
    if not dry_run:
        for row in answer["archives"]:
            row["unpacked"] = bring(session, root, row["part"], no_unpack=no_unpack)
    emit(session, "data-download", answer, view)


def home(session: Session) -> Path:
    """Name the folder where this workspace looks for WIDER FACE."""
    workspace = session.workspace
    return workspace.data_roots.get(NAME, workspace.root / "data" / NAME)


def bring(session: Session, root: Path, part: str, *, no_unpack: bool) -> int:
    """Fetch and unpack one part; return how many files it holds."""
    from featherface.data.download import fetch, unpack
    from thesis_cli.interrupts import stoppable
    from thesis_cli.progress import progress

    with progress(session) as reporter, stoppable() as should_stop:
        path = fetch(ARCHIVES[part], root, reporter, should_stop)
        return 0 if no_unpack else unpack(path, root, reporter, should_stop)


def view(answer: dict[str, Any]) -> list[Block]:
    """Tabulate the archives, then what to do next."""
    rows = [
        [
            row["part"],
            quantity(row["bytes"] / 1e6, "MB", ",.0f"),
            "" if row["unpacked"] is None else f"{row['unpacked']:,}",
            row["url"] if answer["dry_run"] else str(row["file"]),
        ]
        for row in answer["archives"]
    ]
    total = sum(row["bytes"] for row in answer["archives"])
    blocks: list[Block] = [
        Grid(
            ["part", ">size", ">unpacked", "archive"], rows, facts={"folder": str(answer["folder"])}
        )
    ]
    if answer["dry_run"]:
        size = quantity(total / 1e6, "MB", ",.0f")
        return [*blocks, f"to fetch: {size}, and as much room again to unpack"]
    setting = f'widerface = "{answer["folder"].as_posix()}"'
    return [*blocks, f"next: in thesis.toml, under [data]: {setting}; thesis data verify widerface"]
