"""`thesis vault pull`: what the student wrote in the notes of the runs, taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.completion import complete_run
from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thesis_cli.session import Session
    from vault_sync.commands.pull import PulledAnswer, PullReport
    from vault_sync.run_note_fields.table import FieldText

WIDTH = 60
"""Letters of an answer that a line shows."""


@click.command(cls=Command)
@click.argument("selectors", nargs=-1, shell_complete=complete_run)
@click.option("--dry-run", is_flag=True, help="Write nothing; tell what would be taken over.")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if an answer waits.")
@click.option(
    "--take",
    type=click.Choice(["note", "index"]),
    help="Whose answer stays where both changed: the note's, or the one kept of the run.",
)
@click.option("--from", "source", default="vault", show_default=True, help="Another folder.")
@json_option
@click.pass_context
@pass_session
def pull(
    session: Session,
    context: click.Context,
    /,
    *,
    selectors: tuple[str, ...],
    dry_run: bool,
    check: bool,
    take: str | None,
    source: str,
    as_json: bool,
) -> None:
    """Take over what you answered in the notes of the runs.

    Of all runs, or of those that SELECTORS mean: hypothesis, status, notes and tags from the
    properties, analysis and next steps from the text. A missing answer says nothing; an empty one
    clears.
    """
    del as_json
    from vault_sync.commands.pull import pull as take_over

    planned = dry_run or check
    done = take_over(session.workspace, selectors, source=source, take=take or "", dry_run=planned)
    for warning in done.warnings:
        session.warn(warning)
    emit(session, "vault-pull", tell(done), lambda _: view(done, planned=planned))
    if done.problem:
        raise done.problem
    if check and (done.taken or done.waiting):
        context.exit(CLAIM_FALSE)


def tell(done: PullReport) -> dict[str, Any]:
    """Reduce a report to what the schema names."""
    keys = ("taken", "waiting", "written", "conflicts", "invalid", "refused", "notes")
    return {key: getattr(done, key) for key in keys}


def view(done: PullReport, *, planned: bool) -> Iterator[Block]:
    """Tell what was taken over, and what waits for the other way."""
    for answer in done.taken:
        yield f"{answer.place}: {answer.answer}: {short(answer.index)} -> {short(answer.note)}"
    for answer in done.written:
        yield f"{answer.place}: {answer.answer}: {short(answer.note)} <- {short(answer.index)}"
    yield from _counts(done, "would be taken" if planned else "taken")
    if done.waiting:
        runs = ", ".join(dict.fromkeys(answer.run for answer in done.waiting))
        yield f"newer than the notes, for the next sync: {_names(done.waiting)} of {runs}"
    if done.taken and not planned:
        yield "the reports follow with: thesis report sync"


def _counts(done: PullReport, verb: str) -> Iterator[str]:
    answers = "answer" if len(done.taken) == 1 else "answers"
    notes = "note" if done.notes == 1 else "notes"
    yield f"{len(done.taken)} {answers} {verb} from {done.notes} {notes}"


def _names(moved: list[PulledAnswer]) -> str:
    return ", ".join(dict.fromkeys(answer.answer for answer in moved))


def short(words: FieldText | None) -> str:
    """Show an answer on a line; nothing is shown as such."""
    from vault_sync.run_note_fields.sheets import one_line

    text = one_line(words or "")
    if not text:
        return "(empty)"
    return repr(text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…")
