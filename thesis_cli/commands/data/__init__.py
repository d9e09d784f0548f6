"""`thesis data`: what data sets hold, and bringing them here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.errors import DataError
from thesis_cli.command_table import LazyCommand
from thesis_cli.groups import LazyGroup

if TYPE_CHECKING:
    from featherface.data.widerface import Split
    from thesis_cli.session import Session

VERBS: dict[str, LazyCommand] = {
    "synth": LazyCommand("thesis_cli.commands.data.synth:synth", "Draw the synthetic set."),
    "download": LazyCommand(
        "thesis_cli.commands.data.download:download", "Fetch WIDER FACE, checked."
    ),
    "verify": LazyCommand(
        "thesis_cli.commands.data.verify:verify",
        "Check that a data set is whole and its splits apart.",
    ),
    "stats": LazyCommand(
        "thesis_cli.commands.data.stats:stats", "Count pictures, faces, sizes and attributes."
    ),
    "preview": LazyCommand(
        "thesis_cli.commands.data.preview:preview", "Draw pictures before and after augmentation."
    ),
    "compose": LazyCommand(
        "thesis_cli.commands.data.compose:compose", "Make a data set by pasting faces into scenes."
    ),
    "convert": LazyCommand(
        "thesis_cli.commands.data.convert:convert", "Write a data set in another layout."
    ),
}
"""Verb -> where it is, one module each in this package."""


@click.group(cls=LazyGroup, late=VERBS)
def data() -> None:
    """Draw, fetch, check, compose and convert data sets."""


def locate(session: Session, root: str) -> Path:
    """Find the folder that ROOT means: a path, or a name of [data] in thesis.toml."""
    folder = Path(root)
    if not folder.is_dir():
        folder = session.workspace.data_root(root)
    if root == "synthetic" and not folder.is_dir():
        raise DataError(f"no synthetic set was drawn yet in {folder}", "thesis data synth")
    return drawn(folder)


def drawn(folder: Path) -> Path:
    """Choose the set in FOLDER: the last one that was drawn below it, else FOLDER itself."""
    sets = sorted(folder.glob("*/synthetic.json"), key=lambda path: path.stat().st_mtime)
    return sets[-1].parent if sets else folder


def describe(split: Split) -> dict[str, Any]:
    """Count what a split holds, with its fingerprint."""
    from featherface.data.fingerprint import fingerprint
    from featherface.data.statistics import statistics

    return {**statistics(split), "fingerprint": fingerprint(split)}
