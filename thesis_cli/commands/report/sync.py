"""`thesis report sync`: the chapters of the vault, brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.faults import CLAIM_FALSE
from thesis_cli.groups import Verb, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.running import tell

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Verb)
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
    as_json: bool,
    **choices: bool,
) -> None:
    """Bring the chapters of the vault up to date.

    Only generated blocks are written. One that was edited is left alone and reported.
    """
    del as_json
    from vault_sync.sync import sync as synchronise

    asked = dry_run or diff or check
    done = synchronise(session.workspace, to=to, dry_run=asked, check=check, **choices)
    for warning in done.warnings:
        session.warn(warning)
    answer = {**tell(done), **({"diffs": done.diffs} if diff else {})}
    emit(session, "report-sync", answer, lambda data: view(data, planned=asked))
    if done.problem:
        raise done.problem
    if check and done.written:
        context.exit(CLAIM_FALSE)


def view(data: dict[str, Any], *, planned: bool) -> list[Block]:
    """Tell what was written, or would be."""
    if "diffs" in data:
        return [text.rstrip("\n") for text in data["diffs"].values()] or ["nothing would change"]
    verb = "would be written" if planned else "written"
    count = f"{len(data['written'])} {verb}, {len(data['unchanged'])} unchanged"
    return [*(f"{verb}: {path}" for path in data["written"]), count]
