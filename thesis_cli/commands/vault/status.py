"""`thesis vault status`: how the vault stands, and what waits for a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thesis_cli.groups import Verb, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thesis_cli.session import Session
    from vault_sync.commands.status import Condition

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


@click.command(cls=Verb)
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


def view(found: Condition) -> Iterator[Block]:
    """Tell what there is, the urgent first."""
    if found.stopped:
        yield f"a sync would stop: {found.stopped}"
    if found.locked:
        yield f"being written into by {found.locked}"
    for key, title, way in SECTIONS:
        items = [str(item) for item in getattr(found, key)]
        if items:
            yield from section(f"{title} ({way}):", items)
    if found.moved:
        moves = [f"{start} -> {now}" for start, now in found.moved.items()]
        yield from section("moved by you (still kept up to date):", moves)
    yield f"{len(found.in_sync)} in sync, {len(found.pending)} to be written"
    if found.undo:
        yield f"the last write can be taken back: thesis vault undo ({found.undo})"


def section(title: str, items: list[str]) -> Iterator[Block]:
    """List some items under a title."""
    yield title
    yield from (f"  {item}" for item in items[:SHOWN])
    if len(items) > SHOWN:
        yield f"  and {len(items) - SHOWN} more"
