"""`thesis benchmark`: what a network costs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from featherface.profiling.config import BenchmarkConfig
from featherface.variants.table import VARIANTS
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.networks import (
    Chosen,
    build,
    device_option,
    precision_option,
    run_option,
    settings_option,
    settle,
    settled_device,
    weights_option,
)
from thesis_cli.output import Block, emit, json_option
from thesis_cli.progress import progress
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress
    from thesis_cli.session import Session

DEFAULT = BenchmarkConfig()


@click.command(cls=Command)
@click.argument("variant", type=click.Choice(list(VARIANTS)), required=False)
@weights_option
@run_option
@settings_option
@click.option("--size", default=DEFAULT.image_size, show_default=True, help="Side in pixels.")
@click.option("--batch", default=DEFAULT.batch_size, show_default=True, help="Pictures at a time.")
@click.option("--runs", default=DEFAULT.runs, show_default=True, help="Timed passes.")
@click.option("--threads", default=DEFAULT.threads, help="CPU threads; default: PyTorch's choice.")
@device_option
@precision_option
@click.option("--layers", is_flag=True, help="Also time and memory of every layer.")
@click.option("--training", is_flag=True, help="Also what `auto` would choose in a recipe's train.")
@json_option
@pass_session
def benchmark(  # noqa: PLR0913 - one parameter per option
    session: Session,
    *,
    variant: str | None,
    weights: Path | None,
    run: str | None,
    settings: tuple[str, ...],
    size: int,
    batch: int,
    runs: int,
    threads: int,
    device: str | None,
    precision: str,
    layers: bool,
    training: bool,
    as_json: bool,
) -> None:
    """Measure a network's time and memory on this machine.

    For a number that the thesis may use, run the experiment: thesis run NAME --stage benchmark
    seals what it measures.
    """
    del as_json
    config = BenchmarkConfig(
        image_size=size,
        batch_size=batch,
        runs=runs,
        threads=threads,
        device=settled_device(session, device),
        precision=precision,
    )
    with progress(session) as report:
        subject = settle(session, Chosen(variant, weights, run, settings))
        network = build(session, subject)
        data = {
            "name": subject.variant,
            "image_size": size,
            "batch_size": batch,
            **measure(network, config, report),
            "layers": measure_layers(network, config, report) if layers else None,
            "training": measure_training(network, config, report) if training else None,
        }
    emit(session, "benchmark", data, view)


def measure(network: Detector, config: BenchmarkConfig, report: OnProgress) -> dict[str, Any]:
    """Count and time the network."""
    import torch

    from experiments.records.provenance import hardware_name
    from featherface.profiling import counting, memory, timing

    timed = timing.latency(network, config, report)
    return {
        "device": timed.device,
        "hardware": hardware_name(torch.device(timed.device)),
        "precision": timed.precision,
        "threads": timed.threads,
        "parameters": counting.parameters(network),
        "macs": counting.macs(network, config.image_size),
        "size_fp32_mb": counting.weights_megabytes(network),
        "median_ms": timed.median,
        "p90_ms": timed.p90,
        "runs_ms": timed.runs,
        "peak_mb": memory.peak_memory(network, config),
    }


def measure_layers(
    network: Detector, config: BenchmarkConfig, report: OnProgress
) -> list[dict[str, Any]]:
    """Time and weigh every layer."""
    from featherface.profiling.layers import layer_costs

    return [
        {
            "name": each.name,
            "kind": each.kind,
            "calls": each.calls,
            "ms": each.milliseconds,
            "share": each.share,
            "output_mb": each.output_megabytes,
            "peak_mb": each.peak_megabytes,
        }
        for each in layer_costs(network, config, report)
    ]


def measure_training(
    network: Detector, config: BenchmarkConfig, report: OnProgress
) -> dict[str, Any]:
    """Find out what a recipe that says `auto` would train with."""
    from featherface.training.config.train import AUTO, TrainConfig
    from featherface.training.tuning.automatic import settle

    asked = TrainConfig(
        image_size=config.image_size,
        device=config.device,
        batch_size="auto",
        amp=AUTO,
        channels_last="auto",
        deterministic="auto",
    )
    choice = settle(network, asked, on_progress=report)
    return {
        "batch_size": choice.config.batch_size,
        "amp": choice.config.amp,
        "channels_last": choice.config.channels_last,
        "deterministic": choice.config.deterministic,
        "timings": choice.timings,
        "room": choice.room,
        "said": choice.sentences(),
    }


def view(data: dict[str, Any]) -> list[Block]:
    """Show the whole, then the layers by time, then what training would choose."""
    side, count = data["image_size"], data["batch_size"]
    where = f"{data['device']} ({data['hardware']}), {data['precision']}, {data['threads']} threads"
    facts = {
        "network": f"{data['name']}, {data['parameters']:,} parameters",
        "setting": f"{side}×{side}, batch {count}, {where}",
        "time": f"{quantity(data['median_ms'], 'ms', '.2f')} median, "
        f"{quantity(data['p90_ms'], 'ms', '.2f')} p90"
        f" of {len(data['runs_ms'])} passes",
        "memory": f"{quantity(data['peak_mb'], 'MB', '.1f')} at most, "
        f"weights {quantity(data['size_fp32_mb'], 'MB', '.2f')}",
        "MACs": quantity(data["macs"], "MACs"),
    }
    blocks: list[Block] = [Grid([], [], facts=facts)]
    if data["layers"]:
        blocks += ["", layer_grid(data["layers"])]
    if data["training"]:
        blocks += ["", *data["training"]["said"]]
    return blocks


def layer_grid(layers: list[dict[str, Any]]) -> Grid:
    """Tabulate the layers, slowest first; each has what it does itself."""
    columns = ["layer", "kind", ">calls", ">ms", ">share", ">output MB", ">peak MB"]
    rows = [
        [
            each["name"] or "(the network)",
            each["kind"],
            f"{each['calls']}",
            quantity(each["ms"], "", ".3f"),
            quantity(each["share"], "fraction"),
            quantity(each["output_mb"], "", ".2f"),
            quantity(each["peak_mb"], "", ".2f"),
        ]
        for each in sorted(layers, key=lambda each: -each["ms"])
    ]
    return Grid(columns, rows)
