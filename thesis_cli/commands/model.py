"""`thesis model`: the networks, and weights that come from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from featherface.variants import VARIANTS
from thesis_cli.grid import Grid
from thesis_cli.groups import Verbs, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from thesis_cli.session import Session


@click.group(cls=Verbs)
def model() -> None:
    """Know the networks and import weights."""


@model.command("list")
@json_option
@pass_session
def list_models(session: Session, as_json: bool) -> None:
    """List the networks with their size and cost, counted now."""
    del as_json
    emit(session, "model-list", [measure(name) for name in VARIANTS], list_view)


def measure(name: str) -> dict[str, Any]:
    """Count a variant's parameters and multiply-accumulates at 640 by 640 pixels."""
    from featherface.networks import build
    from featherface.profiling import macs, parameters

    network = build(VARIANTS[name].config, seed=0)
    return {
        "name": name,
        "parameters": parameters(network),
        "paper_counted": VARIANTS[name].paper_counted,
        "macs_640": macs(network, 640),
        "summary": VARIANTS[name].summary,
    }


def list_view(rows: list[dict[str, Any]]) -> list[Block]:
    """Tabulate the networks."""
    cells = [
        [
            row["name"],
            f"{row['parameters']:,}",
            f"{row['paper_counted']:,}" if row["paper_counted"] else "",
            quantity(row["macs_640"], "MACs"),
            row["summary"],
        ]
        for row in rows
    ]
    columns = ["name", ">parameters", ">paper counted", ">MACs at 640²", "~what it is"]
    return [Grid(columns, cells)]


@model.command()
@click.argument("variant", type=click.Choice(list(VARIANTS)))
@json_option
@pass_session
def show(session: Session, variant: str, as_json: bool) -> None:
    """Show what a network is made of and where its parameters are."""
    del as_json
    from featherface.networks import build

    data = {
        **measure(variant),
        "source": VARIANTS[variant].source,
        "components": build(VARIANTS[variant].config, seed=0).components(),
        "config": VARIANTS[variant].config,
    }
    emit(session, "model-show", data, show_view)


def show_view(data: dict[str, Any]) -> list[Block]:
    """Show a network's facts, then its components."""
    counted = data["paper_counted"]
    facts = {
        "network": f"{data['name']}: {data['summary']}",
        "source": data["source"],
        "parameters": f"{data['parameters']:,}"
        + (f" (the paper's counter says {counted:,})" if counted else ""),
        "MACs at 640²": quantity(data["macs_640"], "MACs"),
    }
    rows = [[name, f"{count:,}"] for name, count in data["components"].items()]
    return [Grid(["component", ">parameters"], rows, facts=facts)]


@model.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--variant", type=click.Choice(list(VARIANTS)), required=True, help="The network they fit."
)
@json_option
@pass_session
def import_weights(session: Session, file: Path, variant: str, as_json: bool) -> None:
    """Bring a published checkpoint into the workspace.

    Prefixes, wrappers and counter keys are stripped and reported; every tensor must fit VARIANT.
    """
    del as_json
    emit(session, "model-import", bring_in(session, file, variant), import_view)


def bring_in(session: Session, file: Path, variant: str) -> dict[str, Any]:
    """Check and convert FILE; write it as safetensors under weights/."""
    from featherface.checkpoints import load_weights, save_weights
    from featherface.data.fingerprint import file_sha256
    from featherface.networks import build
    from featherface.profiling import parameters

    workspace = session.workspace
    network = build(VARIANTS[variant].config, seed=0)
    cleaning = load_weights(network, file, variant)
    source = file_sha256(file)
    target = workspace.root / "weights" / f"{variant}-{source[:8]}.safetensors"
    origin = {"variant": variant, "source": file.name, "source_sha256": source}
    save_weights(target, network, origin)
    where = target.relative_to(workspace.root)
    return {
        "variant": variant,
        "source": file,
        "source_sha256": source,
        "weights": where,
        "sha256": file_sha256(target),
        "parameters": parameters(network),
        "cleaned": cleaning.sentences(),
        "next": f"thesis run {variant} --set model.weights={where.as_posix()} --stage evaluate",
    }


def import_view(data: dict[str, Any]) -> list[Block]:
    """Tell what was cleaned, where the weights are, and what to type."""
    return [
        f"read     {data['source']} (sha256 {data['source_sha256'][:12]}…)",
        *(f"cleaned  {sentence}" for sentence in data["cleaned"]),
        f"wrote    {data['weights']}: {data['parameters']:,} parameters of {data['variant']}",
        f"next     {data['next']}",
    ]
