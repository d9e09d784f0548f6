"""`thesis vault take`: whose version of an edited block stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thesis_cli.session import Session
    from vault_sync.commands.resolve import Resolution


@click.command(cls=Command)
@click.argument("addresses", nargs=-1, metavar="NOTE[#BLOCK]...")
@click.option("--mine", "side", flag_value="mine", help="Your version stays until it changes.")
@click.option("--new", "side", flag_value="new", help="The new version is written over yours.")
@click.option("--all", "everything", is_flag=True, help="Everything that is in conflict.")
@click.option("--to", default="vault", show_default=True, help="`vault`, or another folder.")
@json_option
@pass_session
def take(
    session: Session,
    /,
    *,
    addresses: tuple[str, ...],
    side: str | None,
    everything: bool,
    to: str,
    as_json: bool,
) -> None:
    """Settle conflicts: your version, or the new one.

    NOTE stands for all its conflicts, NOTE#BLOCK for one block, NOTE#property for one property; a
    picture, a base or a canvas is named by its path. With --mine yours stays until the numbers
    change again. With --new it is replaced, and `thesis vault undo` brings it back; a block or
    note that you had deleted is made again.
    """
    del as_json
    from vault_sync.commands.resolve import Side, decide

    if side is None:
        raise click.UsageError("say whose version stays: --mine or --new")
    done = decide(session.workspace, Side(side), addresses, everything=everything, to=to)
    answer(session, "vault-take", done, "your version stays" if side == "mine" else "taken anew")


def answer(session: Session, verb: str, done: Resolution, what: str) -> None:
    """Tell what was decided."""
    for warning in done.warnings:
        session.warn(warning)
    data: dict[str, Any] = {key: getattr(done, key) for key in ("decided", "written", "left")}
    emit(session, verb, data, lambda _: view(done, what))


def view(done: Resolution, what: str) -> Iterator[Block]:
    """Tell what was decided, and what still waits."""
    yield from (f"{what}: {address}" for address in done.decided)
    if not done.decided:
        yield "nothing is in conflict"
    yield from (f"still in conflict: {address}" for address in done.left)
