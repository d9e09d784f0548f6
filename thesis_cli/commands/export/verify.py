"""`thesis export verify`: whether a package is what was packaged."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
@click.pass_context
@pass_session
def verify(session: Session, context: click.Context, *, folder: Path, as_json: bool) -> None:
    """Check the package in FOLDER: every file's digest, and what each model finds.

    Each model that ran when it was packaged is opened and looks at the packaged picture; the faces
    must be those that the manifest keeps, to a pixel. What changed is named, and the exit code is 1
    then. A digest shows damage and mix-ups; who made the package, it can't show.
    """
    del as_json
    from experiments.deployment.verification import verify_package

    verdict = verify_package(folder)
    data = asdict(verdict) | {"intact": verdict.intact}
    emit(session, "export-verify", data, view)
    if not verdict.intact:
        context.exit(CLAIM_FALSE)


def view(data: dict[str, Any]) -> list[Block]:
    """Say whether the package is intact, what changed, and which models looked."""
    state = "intact" if data["intact"] else "NOT what was packaged"
    proof = f" of {data['run']}, seal {data['seal'][:12]}" if data["run"] else ""
    lines: list[Block] = [f"{data['folder'].as_posix()}: {state}{proof}"]
    lines += [f"  {problem['detail']}" for problem in data["problems"]]
    rows = [
        [each["path"], each["engine"] or "", each["reason"] or f"{each['faces']} faces"]
        for each in data["models"]
    ]
    if rows:
        lines.append(Grid(["model", "engine", "~packaged picture"], rows))
    return lines
