"""What goes to stdout: one JSON object, or tables for a person."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.table import Table

    from thesis_cli.session import Session

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
)


@dataclass(frozen=True)
class Grid:
    """A table for the terminal: cells are ready text."""

    columns: Sequence[str]
    """Headings; one that starts with `>` is a column of numbers, with `~` of prose that wraps."""
    rows: Sequence[Sequence[str]]
    title: str | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """Lines `name  value` above the table."""


Block = str | Grid
T = TypeVar("T")


def emit(
    session: Session,
    verb: str,
    data: T,
    view: Callable[[T], Iterable[Block]],
) -> None:
    """Print DATA as the answer of VERB: an envelope with --json, else what VIEW makes of it."""
    if session.as_json:
        write(session, envelope(verb, data, session.warnings))
        return
    for block in view(data):
        show(session, block)


def envelope(verb: str, data: Any, warnings: Sequence[str]) -> str:
    """Give the JSON text of an answer; `schemas/<verb>.json` describes its data."""
    answer = {"schema": f"thesis/{verb}/1", "data": plain(data), "warnings": list(warnings)}
    return json.dumps(answer, ensure_ascii=False, indent=2, allow_nan=False)


def plain(value: Any) -> Any:  # noqa: PLR0911 - one line per kind of value
    """Reduce VALUE to what JSON knows; numbers keep full precision, NaN becomes null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {each.name: plain(getattr(value, each.name)) for each in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without importing numpy
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def write(session: Session, text: str) -> None:
    """Print TEXT on stdout as it is."""
    click.echo(text, file=session.stdout or sys.stdout)


def show(session: Session, block: Block) -> None:
    """Print a paragraph or a table, as wide as the terminal allows."""
    if isinstance(block, str):
        write(session, block)
        return
    stream = session.stdout or sys.stdout
    terminal = console(session, stream)
    table = as_rich(block)
    for name, value in block.facts.items():
        write(session, f"{name}: {value}")
    unbounded = terminal.options.update(max_width=10_000)
    if terminal.measure(table, options=unbounded).minimum > terminal.width:
        write(session, as_records(block))
    else:
        terminal.print(table)


def console(session: Session, stream: TextIO) -> Console:
    """Make the console of STREAM; beyond a terminal, lines are as long as they need."""
    from rich.console import Console

    forced = {"always": True, "never": False, "auto": None}[session.color]
    plain_text = session.color == "never" or (session.color == "auto" and "NO_COLOR" in os.environ)
    wide = None if stream.isatty() or "COLUMNS" in os.environ else 10_000
    return Console(
        file=stream,
        width=wide,
        force_terminal=forced if session.color == "always" else None,
        no_color=plain_text or None,
        color_system=None if plain_text else "auto",
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def as_rich(grid: Grid) -> Table:
    """Make the rich table: numbers to the right, only prose may wrap."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=grid.title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for heading in grid.columns:
        table.add_column(
            heading.lstrip(">~"),
            justify="right" if heading.startswith(">") else "left",
            no_wrap=not heading.startswith("~"),
            overflow="fold",
        )
    for row in grid.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def as_records(grid: Grid) -> str:
    """Write one line per cell, for terminals too narrow for the table."""
    names = [heading.lstrip(">~") for heading in grid.columns]
    records = (
        "\n".join(f"{name}: {cell}" for name, cell in zip(names, row, strict=True) if cell)
        for row in grid.rows
    )
    return "\n\n".join(records)
