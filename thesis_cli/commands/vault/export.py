"""`thesis vault export`: the thesis as one document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from vault_sync.export.formats import ENGINES, FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thesis_cli.session import Session

WORDS = {
    "measured": "proved",
    "imported": "imported",
    "cited": "cited",
    "target": "planned",
    "own": "the author's own",
    "unbacked": "unbacked",
    "stale": "stale",
    "altered": "altered by hand",
}
"""What a number can be -> the word for it."""
FILE = click.Path(path_type=Path)


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="[NOTES]...")
@click.option("--to", type=click.Choice(list(FORMATS)), default="pdf", show_default=True)
@click.option("--output", type=FILE, help="The file; default: export/ in the workspace.")
@click.option("--bibliography", type=FILE, help="A BibTeX file, before the one of thesis.toml.")
@click.option("--csl", "style", type=FILE, help="A citation style; default: Chicago, author-date.")
@click.option(
    "--pdf-engine",
    "engine",
    type=click.Choice(ENGINES),
    default="typst",
    show_default=True,
    help="What sets the PDF; all but typst are programs of your own.",
)
@click.option("--with-runs", is_flag=True, help="Add the notes of the runs as an appendix.")
@click.option("--force", is_flag=True, help="Write over a changed document; show altered numbers.")
@json_option
@pass_session
def export(session: Session, /, *, names: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Export the thesis, or some NOTES and folders, as one document.

    Nothing is written into the vault. Blocks and bound numbers that were altered by hand are
    refused (exit code 7), unless with --force.
    """
    del as_json
    from vault_sync.export.document_writer import ExportOptions
    from vault_sync.export.exporting import export as make

    done = make(session.workspace, names, ExportOptions(**options))
    for warning in done.warnings:
        session.warn(warning)
    answer = {name: value for name, value in vars(done).items() if name != "warnings"}
    emit(session, "vault-export", answer, view)


def view(data: dict[str, Any]) -> Iterator[Block]:
    """Tell what was made, of what."""
    yield f"written: {data['output']}"
    yield (
        ", ".join(
            count(len(data[name]) if isinstance(data[name], tuple) else data[name], singular)
            for name, singular in (("notes", "note"), ("figures", "figure"), ("tables", "table"))
        )
        + f"; works cited: {len(data['citations'])}"
    )
    yield numbers(data)
    if data["left_out"]:
        yield f"left out: {', '.join(data['left_out'])}"


def numbers(data: dict[str, Any]) -> str:
    """Say on what the numbers of the document rest."""
    told = [
        f"{data['numbers'][name]} {word}" for name, word in WORDS.items() if data["numbers"][name]
    ]
    text = f"numbers: {', '.join(told) or 'none in the prose'}"
    text += f"; {count(data['blocks'], 'generated block')}" if data["blocks"] else ""
    weak = data["numbers"]["unbacked"] or data["numbers"]["stale"] or data["numbers"]["altered"]
    return f"{text}; see: thesis check numbers" if weak else text


def count(number: int, singular: str) -> str:
    """Write a number with its noun."""
    return f"{number} {singular}" if number == 1 else f"{number} {singular}s"
