"""`thesis runs note`: what a student makes of a run, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.commands.runs import store
from thesis_cli.completion import complete_run
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from vault_sync.run_note_fields.table import NOTE_FIELDS, answers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from experiments.records.run import Run
    from thesis_cli.session import Session

ELSEWHERE = ("notes", "tags")
"""Answers with an argument or options of their own."""


def answer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add one option per answer that is a text."""
    for answer in reversed(NOTE_FIELDS.values()):
        if answer.key not in ELSEWHERE:
            choices = f" {', '.join(answer.choices)}." if answer.choices else ""
            name = f"--{answer.key.replace('_', '-')}"
            command = click.option(name, metavar="TEXT", help=answer.help + choices)(command)
    return command


@click.command(cls=Command)
@click.argument("selector", shell_complete=complete_run)
@click.argument("text", required=False)
@answer_options
@click.option("--tag", "tags", multiple=True, help="Add a tag; repeat it.")
@click.option("--untag", "untags", multiple=True, help="Take a tag away; repeat it.")
@json_option
@pass_session
def note(
    session: Session,
    /,
    *,
    selector: str,
    text: str | None,
    tags: tuple[str, ...],
    untags: tuple[str, ...],
    as_json: bool,
    **said: str | None,
) -> None:
    """Say what you make of a run.

    TEXT is your remark on the run that SELECTOR means; an empty one takes the remark away, as an
    empty option does with its answer. Without any of them, tells what was said.
    """
    del as_json
    records = store(session)
    run = records.find(selector)
    given = {**said, "notes": text}
    changes: dict[str, Any] = {
        NOTE_FIELDS[key].field: NOTE_FIELDS[key].read(words)
        for key, words in given.items()
        if words is not None
    }
    if tags or untags:
        changes["tags"] = changed_tags(run, tags, untags)
    if changes:
        records.annotate(run, **changes)
        session.note("the run's note follows with: thesis report sync")
    emit(session, "runs-note", {"run": run.id, **answers_of(run)}, view)


def changed_tags(run: Run, tags: Sequence[str], untags: Sequence[str]) -> tuple[str, ...]:
    """Return the student's tags of RUN with TAGS and without UNTAGS."""
    gone = {tag.removeprefix("#") for tag in untags}
    return tuple(tag for tag in (*(run.annotations.tags or ()), *tags) if tag not in gone)


def view(data: Mapping[str, Any]) -> list[Block]:
    """Tell each answer on a line; those that are empty are left out."""
    told = {
        key.replace("_", " "): ", ".join(words) if isinstance(words, tuple) else words
        for key, words in data.items()
    }
    return [Grid([], [], facts={name: words for name, words in told.items() if words})]
