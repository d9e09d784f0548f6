"""`thesis report sync`: the chapters of the vault, brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option, name_note, show
from thesis_cli.run_and_sync import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from thesis_cli.session import Session
    from vault_sync.commands.watch import WatchEvent


@click.command(cls=Command)
@click.option("--to", default="vault", show_default=True, help="`vault`, or another folder.")
@click.option("--dry-run", is_flag=True, help="Write nothing; tell what would be written.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if something would be.")
@click.option("--merge", is_flag=True, help="Merge into edited blocks where it is clean.")
@click.option("--recreate", is_flag=True, help="Make notes and blocks again that were deleted.")
@click.option("--join", is_flag=True, help="Add blocks at the end of chapters that were there.")
@click.option(
    "--accept-deletions", is_flag=True, help="Go on although many notes are gone at once."
)
@click.option("--take-over", is_flag=True, help="Keep a vault that another workspace keeps.")
@click.option("--watch", is_flag=True, help="Go on syncing as runs and notes change; end: Ctrl-C.")
@json_option
@click.pass_context
@pass_session
def sync(
    session: Session,
    context: click.Context,
    /,
    *,
    to: str,
    dry_run: bool,
    diff: bool,
    check: bool,
    watch: bool,
    as_json: bool,
    **choices: bool,
) -> None:
    """Bring the chapters of the vault up to date.

    Only generated blocks are written. One that was edited is left alone and reported.
    """
    asked = dry_run or diff or check
    if watch:
        if asked or as_json:
            raise click.UsageError("--watch writes as it goes; it goes with no other answer")
        keep_watch(session, to, choices)
        return
    from vault_sync.commands.dry_run import vault_path
    from vault_sync.commands.sync import sync as synchronise

    done = synchronise(session.workspace, to=to, dry_run=asked, check=check, **choices)
    for warning in done.warnings:
        session.warn(warning)
    shown = {"diffs": done.diffs, "disputes": done.disputes} if diff else {}
    vault = vault_path(session.workspace, to)
    emit(
        session,
        "report-sync",
        {**tell(done), **shown},
        lambda data: view(data, lambda note: name_note(session, vault, note), planned=asked),
    )
    if done.problem:
        raise done.problem
    if check and done.written:
        context.exit(CLAIM_FALSE)


def view(data: dict[str, Any], named: Callable[[str], str], *, planned: bool) -> Iterator[Block]:
    """Tell what was written, or would be; NAMED makes links of notes."""
    if "diffs" in data:
        yield from view_differences(data)
        return
    verb = "would be written" if planned else "written"
    yield from (f"{verb}: {named(path)}" for path in data["written"])
    yield f"{len(data['written'])} {verb}, {len(data['unchanged'])} unchanged"


def view_differences(data: dict[str, Any]) -> Iterator[Block]:
    """Show what would change, and what a conflict keeps from changing."""
    yield from (text.rstrip("\n") for text in data["diffs"].values())
    pictures = [path for path in data["written"] if path not in data["diffs"]]
    yield from (f"would be written, not text: {path}" for path in pictures)
    for address, text in data["disputes"].items():
        yield f"in conflict, not written: {address}"
        yield text.rstrip("\n")
    if not data["written"]:
        yield "nothing else would change" if data["disputes"] else "nothing would change"


def keep_watch(session: Session, to: str, choices: dict[str, bool]) -> None:
    """Sync until Ctrl-C, which ends it well: to be stopped is how a watch ends."""
    from thesis_cli.errors import describe
    from thesis_cli.interrupts import stoppable
    from vault_sync.commands.watch import watch

    root = session.workspace.root
    session.note(f"watching {root}; end with Ctrl-C")

    def told(news: WatchEvent) -> None:
        if news.report is not None:
            for path in news.report.written:
                show(session, f"written: {path}")
        if news.error is not None:
            fault = describe(news.error)
            session.note(f"{fault.message}\n  next: {fault.hint}")

    with stoppable() as should_stop:
        watch(root, told, should_stop, to=to, **choices)
