"""`thesis model validate`: whether networks are what they claim to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from featherface.errors import ClaimFalseError
from featherface.validation.names import CHECKS
from featherface.variants.table import VARIANTS
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("variants", nargs=-1, type=click.Choice(list(VARIANTS)), metavar="[VARIANT]...")
@click.option(
    "--check", "checks", multiple=True, type=click.Choice(list(CHECKS)), help="Only these."
)
@click.option("--quick", is_flag=True, help="Small pictures, no export: seconds per network.")
@json_option
@pass_session
def validate(
    session: Session,
    *,
    variants: tuple[str, ...],
    checks: tuple[str, ...],
    quick: bool,
    as_json: bool,
) -> None:
    """Check networks: all of them, or those named.

    Counts against the table; answers at 320² to 1024² and 640×480, one picture to eight at a
    time; training and evaluation; gradients; types and devices; determinism; memory; ONNX export.
    The exit code is 1 where a check fails.
    """
    del as_json
    from featherface.validation.loop import validate as examine
    from thesis_cli.progress import progress

    with progress(session) as report:
        examined = examine(variants or list(VARIANTS), checks, quick=quick, on_progress=report)
        outcomes = list(examined)
    failed = [outcome for outcome in outcomes if outcome.status != "pass"]
    data = {"passed": not failed, "checks": outcomes}
    emit(session, "model-validate", data, view)
    if failed:
        names = ", ".join(dict.fromkeys(f"{outcome.variant} {outcome.check}" for outcome in failed))
        first = failed[0]
        raise ClaimFalseError(
            f"{len(failed)} of {len(outcomes)} checks failed: {names}",
            f"thesis model validate {first.variant} --check {first.check}",
        )


def view(data: dict[str, Any]) -> Iterator[Block]:
    """Tabulate the outcomes."""
    rows = [
        [row.variant, row.check, row.status, quantity(row.seconds, "", ".1f"), row.detail]
        for row in data["checks"]
    ]
    yield Grid(["network", "check", "", ">seconds", "~what was seen"], rows)
