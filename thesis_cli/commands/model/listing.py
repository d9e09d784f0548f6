"""`thesis model list`: the networks with their size, their cost and their trained weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from featherface.variants.table import VARIANTS
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from pathlib import Path

    from thesis_cli.session import Session

FORMS = ("fp32", "fp16", "int8")


@click.command("list", cls=Command)
@json_option
@pass_session
def list_models(session: Session, as_json: bool) -> None:
    """List the networks with their size, their cost and their trained weights.

    Sizes are computed: 4 or 2 bytes for each parameter and running statistic; int8 keeps kernels
    of ordinary convolutions and linear layers as bytes, with a scale per channel, and everything
    else (deformable convolutions, normalisations, biases) in single precision.
    """
    del as_json
    from thesis_cli.commands.model.subjects import trained

    weights, cache = trained(session), known_counts(session)
    rows = [{**measure(name, cache), "weights": weights[name]} for name in VARIANTS]
    emit(session, "model-list", rows, view)


def known_counts(session: Session) -> Path | None:
    """Return the workspace's folder of what networks were found to be; None outside of one."""
    from thesis_cli.commands.model.subjects import workspace_of

    workspace = workspace_of(session)
    return workspace.state / "cache" / "networks" if workspace else None


def measure(name: str, cache: Path | None) -> dict[str, Any]:
    """Tell a variant's parameters, multiply-accumulates at 640 by 640 pixels, and bytes."""
    from featherface.model_summary.summary_cache import anatomy

    summary = anatomy(VARIANTS[name].config, cache)
    return {
        "name": name,
        "parameters": summary.parameters,
        "paper_counted": summary.paper_counted,
        "macs_640": summary.macs,
        "bytes": {form: getattr(summary.storage, form) for form in FORMS},
        "float_numbers_int8": summary.storage.single,
        "summary": VARIANTS[name].summary,
    }


def view(rows: list[dict[str, Any]]) -> list[Block]:
    """Tabulate the networks, then their trained weights."""
    cells = [
        [
            row["name"],
            f"{row['parameters']:,}",
            f"{row['paper_counted']:,}" if row["paper_counted"] else "",
            quantity(row["macs_640"], "MACs"),
            *(quantity(row["bytes"][form] / 1e6, "", ".2f") for form in FORMS),
            origins(row["weights"]),
            row["summary"],
        ]
        for row in rows
    ]
    columns = ["name", ">parameters", ">paper counted", ">MACs at 640²", ">MB fp32", ">fp16"]
    columns += [">int8", "weights", "~what it is"]
    note = "weights: p published elsewhere, i imported here, r sealed runs; --json names them"
    return [Grid(columns, cells), *([f"\n{note}"] if any(row["weights"] for row in rows) else [])]


def origins(weights: list[dict[str, Any]]) -> str:
    """Count the trained weights by where they are from, such as `p1 r2`."""
    kinds = [entry["origin"] for entry in weights]
    return " ".join(
        f"{letter}{kinds.count(kind)}"
        for letter, kind in (("p", "published"), ("i", "imported"), ("r", "run"))
        if kind in kinds
    )
