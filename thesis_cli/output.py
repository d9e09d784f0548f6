"""Output on stdout: one JSON object, or tables for a person."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from thesis_cli.grid import Grid, layout

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from thesis_cli.session import Session

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
)


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
    click.echo(text, file=session.stdout or sys.stdout, color=True)  # colours are decided before


def show(session: Session, block: Block) -> None:
    """Print a paragraph or a table, as wide as the terminal allows."""
    if isinstance(block, str):
        write(session, block)
        return
    stream = session.stdout or sys.stdout
    write(session, layout(block, width(stream), bold=colored(session, stream)))


def width(stream: TextIO) -> int | None:
    """Give the columns of STREAM; None beyond a terminal, where lines may be of any length."""
    if "COLUMNS" not in os.environ and not stream.isatty():
        return None
    return shutil.get_terminal_size().columns


def colored(session: Session, stream: TextIO) -> bool:
    """Tell whether STREAM shall carry colours: as --color says, else NO_COLOR, else a terminal."""
    if session.color != "auto":
        return session.color == "always"
    return not os.environ.get("NO_COLOR") and stream.isatty()


def name_note(session: Session, vault: Path, note: str) -> str:
    """Return the path NOTE, as a link to it where the terminal shows links.

    A terminal that knows none ignores what is around the words, but for the old one of Windows.
    """
    if not _shows_links(session):
        return note
    from vault_sync.opening.address import note_address

    return f"\033]8;;{note_address(vault / note)}\033\\{note}\033]8;;\033\\"


def _shows_links(session: Session) -> bool:
    stream = session.stdout or sys.stdout
    if session.output or not stream.isatty() or not colored(session, stream):
        return False
    if os.environ.get("TERM") == "dumb":
        return False
    if os.name != "nt":
        return True
    from rich.console import detect_legacy_windows

    return not detect_legacy_windows()
