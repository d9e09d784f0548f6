"""`thesis runs stamp`: an authority's time on the seals of runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.commands.runs import store
from thesis_cli.completion import complete_run
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session

roots_option = click.option(
    "--roots",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates in which signatures of timestamps may end; default: the system's.",
)


@click.command(cls=Command)
@click.argument("selectors", nargs=-1, required=True, shell_complete=complete_run)
@click.option(
    "--authority",
    required=True,
    metavar="URL",
    help="Whom to ask: the address of a timestamp authority (RFC 3161).",
)
@roots_option
@json_option
@pass_session
def stamp(
    session: Session,
    *,
    selectors: tuple[str, ...],
    authority: str,
    roots: Path | None,
    as_json: bool,
) -> None:
    """Have an authority put its time on the seals of runs.

    Only a digest of each seal is sent. What comes back is verified and kept beside the record;
    thesis runs verify examines it again.
    """
    del as_json
    from experiments.proof.timestamping import check_stampable
    from experiments.proof.timestamping import stamp as put_time
    from experiments.timestamps.authority import check_address
    from experiments.timestamps.roots import trusted_roots
    from experiments.timestamps.tokens import check_library

    check_address(authority)
    check_library()
    trusted = trusted_roots(roots)
    records = store(session)
    chosen = list(dict.fromkeys(records.find(each) for each in selectors))
    for run in chosen:
        check_stampable(run, records)
    records.remember()
    rows = []
    for run in chosen:
        made = put_time(run, records, authority, trusted)
        session.note(f"{run.id}: kept in {run.folder.with_name(made.file)}")
        rows.append({"run": run.id, "seal": run.seal, **asdict(made)})
    emit(session, "runs-stamp", rows, view)


def view(rows: list[dict[str, Any]]) -> list[Block]:
    """Tell what each timestamp says."""
    return [f"{row['run']}: {row['detail']}" for row in rows]
