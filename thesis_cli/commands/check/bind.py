"""`thesis check bind`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.commands.check.numbers import basis, warn_of_basis
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("note")
@click.argument("text")
@click.argument("reference", nargs=-1, required=True)
@click.option("--update", is_flag=True, help="Write the number as its record has it.")
@json_option
@pass_session
def bind(
    session: Session,
    *,
    note: str,
    text: str,
    reference: tuple[str, ...],
    update: bool,
    as_json: bool,
) -> None:
    """Bind one number of a note to what it comes from.

    NOTE is a path, with the line where TEXT stands several times: note.md:12 or note.md:12:5.
    REFERENCE is a run, its metric and a format, such as: v2@best widerface.hard.ap .1%.
    """
    del as_json
    from vault_sync.commands.bind_numbers import bind
    from vault_sync.commands.check_numbers import ProseNumbers

    done = bind(ProseNumbers(session.workspace), note, text, " ".join(reference), update=update)
    warn_of_basis(session, done.snippet.value)
    answer = {
        "note": done.note,
        "line": done.place.line,
        "column": done.place.column,
        "before": done.before,
        "text": done.snippet.text,
        "reference": done.snippet.reference,
        **basis(done.snippet.value),
    }
    emit(session, "check-bind", answer, view)


def view(data: dict[str, Any]) -> list[str]:
    """Say what was bound."""
    place = f"{data['note']}:{data['line']}:{data['column']}"
    changed = "" if data["text"] == data["before"] else f" (was {data['before']})"
    return [f"{place}: {data['text']}{changed} is bound to {data['reference']}"]
