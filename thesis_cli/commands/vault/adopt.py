"""`thesis vault adopt`: a generated block, made the student's own prose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thesis_cli.commands.vault.take import answer
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("addresses", nargs=-1, required=True, metavar="NOTE#BLOCK...")
@click.option("--to", default="vault", show_default=True, help="`vault`, or another folder.")
@json_option
@pass_session
def adopt(session: Session, /, *, addresses: tuple[str, ...], to: str, as_json: bool) -> None:
    """Make a generated block your own prose.

    Its markers go, its text stays as it is, and no sync writes there again; its numbers are yours
    to keep right. A picture, a base or a canvas is named by its path, and stays as it is. To have
    the block back: `thesis vault undo`, or `thesis vault take --new NOTE#BLOCK`.
    """
    del as_json
    from vault_sync.commands.resolve import Side, decide

    done = decide(session.workspace, Side.PROSE, addresses, to=to)
    answer(session, "vault-adopt", done, "yours from now on")
