"""`thesis report weekly`: what some days brought, in a note of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option, name_note

if TYPE_CHECKING:
    from datetime import datetime

    from thesis_cli.session import Session

DAY = click.DateTime(["%Y-%m-%d"])


@click.command(cls=Command)
@click.option("--since", type=DAY, help="First day; default: six days before the last.")
@click.option("--until", type=DAY, help="Last day; default: today.")
@json_option
@pass_session
def weekly(
    session: Session, since: datetime | None, until: datetime | None, *, as_json: bool
) -> None:
    """Write a note for the supervisor's meeting.

    It tells what was finished, what changed against the versions before, which milestones changed
    their state, what was decided, and what follows. Its days are fixed; syncs keep it true.
    """
    del as_json
    from vault_sync.commands.weekly_note import write_weekly

    made = write_weekly(session.workspace, since and since.date(), until and until.date())
    answer = {
        "note": made.note,
        "since": made.since.isoformat(),
        "until": made.until.isoformat(),
        "written": made.written,
    }
    named = name_note(session, session.workspace.vault, made.note)
    emit(session, "report-weekly", answer, lambda data: view(data, named))


def view(data: dict[str, Any], named: str) -> list[Block]:
    """Tell where the note is; NAMED is its path, or a link to it."""
    days = f"{data['since']} to {data['until']}"
    if data["written"]:
        return [f"written: {named} ({days})"]
    return [f"{named} tells of {days} already; thesis report sync keeps it true"]
