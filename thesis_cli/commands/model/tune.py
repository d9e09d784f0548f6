"""`thesis model tune`: the legal value of one number that gives a network the size wanted."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from featherface.errors import UsageError
from thesis_cli.completion import complete_network
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from featherface.networks.tuning import Candidate
    from thesis_cli.session import Session

KNOBS = (
    "channels",
    "repeats",
    "reduction",
    "attention_kernel",
    "attention_passes",
    "enhancement_passes",
    "context_groups",
    "context_paths",
)
"""Those of `featherface.networks.tuning.KNOBS` (a test keeps the two equal)."""
FAR = 0.05
"""Distance from the target, as a fraction, that is worth a word."""


@click.command(cls=Command)
@click.argument("network", metavar="NETWORK", shell_complete=complete_network)
@click.option("--target", type=click.IntRange(1), required=True, help="Parameters wanted: 489000.")
@click.option(
    "--knob",
    type=click.Choice(KNOBS),
    default="channels",
    show_default=True,
    help="The number of the network that is turned.",
)
@click.option("--write", "name", metavar="NAME", help="Write it as the recipe experiments/NAME.")
@json_option
@pass_session
def tune(
    session: Session, *, network: str, target: int, knob: str, name: str | None, as_json: bool
) -> None:
    """Find the legal value nearest to a number of parameters.

    NETWORK is a variant, or a recipe or run of the workspace. Only legal values are tried: the
    channels of SSH are a multiple of 4, for example. Nothing is written without --write.
    """
    del as_json
    emit(session, "model-tune", tuned(session, network, target, knob, name), view)


def tuned(
    session: Session, name: str, target: int, knob: str, recipe: str | None
) -> dict[str, Any]:
    """Search, and write the recipe where one is asked for."""
    from featherface.model_summary.summary_cache import anatomy
    from featherface.networks.tuning import tune as search
    from featherface.networks.tuning import turned
    from thesis_cli.commands.model import subjects
    from thesis_cli.commands.model.listing import known_counts

    variant, config = subjects.network(session, name)
    search_result = search(config, knob, target)
    cache = known_counts(session)

    def told(candidate: Candidate) -> dict[str, Any]:
        macs = anatomy(turned(config, knob, candidate.value), cache).macs
        return {**asdict(candidate), "macs_640": macs}

    best = search_result.best.value
    written = write(session, recipe, name, f"{knob}: {best}") if recipe else None
    run = f"thesis run {recipe}" if recipe else f"thesis run {name} --set model.{knob}={best}"
    return {
        "network": name,
        "variant": variant,
        "knob": knob,
        "target": target,
        "current": told(search_result.current),
        "best": told(search_result.best),
        "neighbours": [told(candidate) for candidate in search_result.neighbours],
        "recipe": written,
        "next": run,
    }


def write(session: Session, recipe: str, base: str, setting: str) -> Path:
    """Write experiments/RECIPE.yaml, which extends BASE; return its path from the workspace.

    Raises:
        UsageError: there is such a recipe already, or RECIPE can't be a name.
    """
    from experiments.names import check_name
    from experiments.recipe.resolve import recipes, resolve
    from experiments.workspace.paths import twin
    from featherface.filesystem.atomic import write_atomic

    workspace = session.workspace
    path = workspace.recipes / f"{check_name(recipe)}.yaml"
    known = recipes(workspace)
    if other := recipe if recipe in known else twin(recipe, known):
        raise UsageError(f"there is a recipe {other!r} already", "choose another name")
    above = f"extends: {base}\n" if base in known else ""
    variant = "" if base in known else f"  variant: {base}\n"
    write_atomic(path, f"{above}model:\n{variant}  {setting}\n")
    resolve(recipe, workspace)
    return path.relative_to(workspace.root)


def view(data: dict[str, Any]) -> Iterator[Block]:
    """Show the table of neighbours, the best marked, then what to type."""
    best, current = data["best"], data["current"]
    rows = [row(candidate, best["value"], current["value"]) for candidate in data["neighbours"]]
    facts = {
        "network": data["network"],
        "now": f"{data['knob']} {current['value']}: {current['parameters']:,} parameters",
        "target": f"{data['target']:,} parameters",
        "nearest": f"{data['knob']} {best['value']}: {best['parameters']:,} parameters "
        f"({best['distance']:+,})",
    }
    columns = [f">{data['knob']}", ">parameters", ">from target", ">MACs at 640²", ""]
    yield Grid(columns, rows, facts=facts)
    if abs(best["distance"]) > FAR * data["target"]:
        yield f"\nno legal {data['knob']} comes nearer; another --knob may"
    if data["recipe"]:
        yield f"\nwritten: {data['recipe']}"
    yield f"{'' if data['recipe'] else chr(10)}next: {data['next']}"


def row(candidate: dict[str, Any], best: int, current: int) -> list[str]:
    """Write one value and what it gives."""
    marks = {best: "nearest", current: "now"}
    if best == current:
        marks[best] = "nearest, now"
    return [
        str(candidate["value"]),
        f"{candidate['parameters']:,}",
        f"{candidate['distance']:+,}",
        quantity(candidate["macs_640"], "MACs"),
        marks.get(candidate["value"], ""),
    ]
