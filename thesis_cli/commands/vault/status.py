"""`thesis vault status`: how the vault stands, and what waits for a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thesis_cli.session import Session
    from vault_sync.commands.status import VaultStatus

SHOWN = 10
"""Lines of one kind that are shown to a person; --json shows all."""

SECTIONS = (
    ("conflicts", "edited by hand", "thesis vault take --mine | --new, or thesis vault adopt"),
    ("refused", "refused", "correct what is named"),
    ("pending", "to be written", "thesis report sync"),
    ("lacking", "with no place in their note yet", "thesis report sync --join"),
    ("kept", "kept as you decided", "thesis vault take --new gives the new version"),
    ("adopted", "made prose", "thesis vault take --new puts the block back"),
    ("deleted", "deleted by you", "thesis vault take --new, or thesis report sync --recreate"),
    ("copies", "conflict copies of a synchroniser, never read", "compare and remove them"),
    ("recovered", "saves that crossed a write, kept aside", "compare and remove them"),
    ("interrupted", "cut off by a crash", "thesis report sync completes them"),
)
"""Field -> title, and what one can do."""


@click.command(cls=Command)
@click.option("--to", default="vault", show_default=True, help="`vault`, or another folder.")
@json_option
@pass_session
def status(session: Session, /, *, to: str, as_json: bool) -> None:
    """Show how the vault stands.

    What is in sync, what a sync would write, what was edited, deleted or moved by you, and what
    is broken. Nothing is written.
    """
    del as_json
    from vault_sync.commands.status import inspect

    emit(session, "vault-status", inspect(session.workspace, to), view)


def view(condition: VaultStatus) -> Iterator[Block]:
    """Tell what there is, the urgent first."""
    if condition.stopped:
        yield f"a sync would stop: {condition.stopped}"
    if condition.locked:
        yield f"being written into by {condition.locked}"
    for key, title, way in SECTIONS:
        items = [str(item) for item in getattr(condition, key)]
        if items:
            yield from section(f"{title} ({way}):", items)
    if condition.moved:
        moves = [f"{start} -> {now}" for start, now in condition.moved.items()]
        yield from section("moved by you (still kept up to date):", moves)
    yield f"{len(condition.in_sync)} in sync, {len(condition.pending)} to be written"
    if condition.undo:
        yield f"the last write can be taken back: thesis vault undo ({condition.undo})"


def section(title: str, items: list[str]) -> Iterator[Block]:
    """List some items under a title."""
    yield title
    yield from (f"  {item}" for item in items[:SHOWN])
    if len(items) > SHOWN:
        yield f"  and {len(items) - SHOWN} more"
