"""`thesis vault undo`: what a command wrote into the vault, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thesis_cli.session import Session
    from vault_sync.commands.undo import PastWrite, UndoReport


@click.command(cls=Command)
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--list", "listed", is_flag=True, help="Show what can be undone; undo nothing.")
@click.option("--to", default="vault", show_default=True, help="`vault`, or another folder.")
@json_option
@pass_session
def undo(session: Session, /, *, number: int | None, listed: bool, to: str, as_json: bool) -> None:
    """Take back what the last sync wrote, byte by byte.

    Or what the command NUMBER of --list wrote. A file that was written since is left as it is.
    Notes that had been made are removed again. An undo has a number too, and can be undone.
    """
    del as_json
    from vault_sync.commands import undo as undoing

    if listed:
        past = undoing.history(session.workspace, to)
        emit(session, "vault-undo", {"history": past}, lambda _: view_history(past))
        return
    done = undoing.undo(session.workspace, number, to)
    for warning in done.warnings:
        session.warn(warning)
    emit(session, "vault-undo", {"undone": tell(done)}, lambda _: view(done))
    if done.problem:
        raise done.problem


def tell(done: UndoReport) -> dict[str, Any]:
    """Reduce a report to what the schema names."""
    keys = ("number", "what", "restored", "removed", "refused", "reasons", "redo")
    return {key: getattr(done, key) for key in keys}


def view(done: UndoReport) -> Iterator[Block]:
    """Tell what was taken back, and what follows."""
    yield from (f"restored: {path}" for path in done.restored)
    yield from (f"removed: {path}" for path in done.removed)
    files = len(done.restored) + len(done.removed)
    yield f"{files} {'file' if files == 1 else 'files'} of {done.number} ({done.what}) taken back"
    if files and not done.what.startswith("vault "):
        yield "the next sync writes them again; look first with: thesis report sync --diff"
    if done.redo:
        yield f"to take this undo back: thesis vault undo {done.redo}"


def view_history(past: list[PastWrite]) -> list[Block]:
    """Lay out what was written, newest first."""
    if not past:
        return ["nothing was written into this vault yet"]
    rows = [
        [entry.number, when(entry), entry.what, len(entry.files), state(entry)] for entry in past
    ]
    texts = [[str(cell) for cell in row] for row in rows]
    return [Grid([">number", "time (UTC)", "command", ">files", "state"], texts)]


def when(entry: PastWrite) -> str:
    """Give the minute; --json has it in full."""
    return entry.time[:16].replace("T", " ")


def state(entry: PastWrite) -> str:
    """Say whether it was taken back."""
    return "undone" if entry.undone else ""
