"""`thesis vault slides`: the note of slides that one begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.groups import Command, pass_session
from thesis_cli.output import emit, json_option, name_note

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("note", default="", metavar="[NOTE]")
@json_option
@pass_session
def slides(session: Session, /, *, note: str, as_json: bool) -> None:
    """Write an outline of slides into the vault, with the thesis's own figures and numbers.

    NOTE is a path in the vault; without it, Slides. A note that is there is never written over.
    """
    del as_json
    from vault_sync.export.slides.starting import start_slides

    made = start_slides(session.workspace, note)
    named = name_note(session, session.workspace.vault, made.note)
    emit(session, "vault-slides", vars(made), lambda data: view(data, named))


def view(data: dict[str, Any], named: str) -> list[str]:
    """Tell where the note is, NAMED as a link where terminals show them, and what comes next."""
    return [
        f"written: {named} ({data['slides']} slides)",
        "fill it in Obsidian, then: thesis vault export --to slides",
    ]
