"""`thesis open`: a note of the vault, in Obsidian."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command("open", cls=Command)
@click.argument("selector")
@click.option("--print", "only_print", is_flag=True, help="Open nothing; print the address.")
@json_option
@pass_session
def open_note(session: Session, selector: str, *, only_print: bool, as_json: bool) -> None:
    """Open a note in Obsidian.

    SELECTOR is a chapter (`performance`), a report or block, a claim, a run (`v2@best`), or the
    name or path of a note; `NOTE#Heading` goes to a heading. Obsidian's own command line is used
    where it is switched on, else the note's address; where nothing opens that, its path is printed.
    """
    del as_json
    from vault_sync.opening.address import note_address
    from vault_sync.opening.choosing import choose
    from vault_sync.opening.obsidian import Way
    from vault_sync.opening.obsidian import open_note as open_it

    chosen = choose(session.workspace, selector)
    address = note_address(chosen.file, chosen.part)
    way = Way.NONE if only_print else open_it(chosen)
    data = {
        "note": chosen.note,
        "file": chosen.file,
        "address": address,
        "opened": way is not Way.NONE,
        "way": way.value,
    }
    if way is Way.NONE and not only_print:
        session.note(
            "nothing here opens a note of Obsidian's; install it and open the vault in it once, "
            "or open this file:"
        )
    emit(session, "open", data, lambda answer: view(answer, only_print=only_print))


def view(data: dict[str, Any], *, only_print: bool) -> list[Block]:
    """Tell what was opened, or where it is."""
    if only_print:
        return [data["address"]]
    return [f"opened: {data['note']}" if data["opened"] else str(data["file"])]
