"""`thesis benchmark`: what a network costs on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiments.disturbances import Disturbances, marks_text
from featherface.errors import NotFoundError, UsageError, unknown
from featherface.profiling.config import BenchmarkConfig
from featherface.variants.table import VARIANTS
from thesis_cli.completion import complete_network
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
    from featherface.networks.detector import Detector
    from featherface.profiling.timing import Latency
    from featherface.progress import OnProgress
    from thesis_cli.session import Session

DEFAULT = BenchmarkConfig()


@click.command(cls=Command)
@click.argument("names", metavar="A [B]...", nargs=-1, shell_complete=complete_network)
@weights_option
@run_option
@settings_option
@click.option("--size", default=DEFAULT.image_size, show_default=True, help="Side in pixels.")
@click.option("--batch", default=DEFAULT.batch_size, show_default=True, help="Pictures at a time.")
@click.option("--warmup", default=DEFAULT.warmup, show_default=True, help="Passes before those.")
@click.option(
    "--passes", "--runs", "passes", default=DEFAULT.runs, show_default=True, help="Timed passes."
)
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
    names: tuple[str, ...],
    weights: Path | None,
    run: str | None,
    settings: tuple[str, ...],
    size: int,
    batch: int,
    warmup: int,
    passes: int,
    threads: int,
    device: str | None,
    precision: str,
    layers: bool,
    training: bool,
    as_json: bool,
) -> None:
    """Measure time and memory of networks on this machine; several are timed in turns.

    A and B are variants, files of weights, or runs such as v1@1. For a number that the thesis may
    use, run the experiment: thesis run NAME --stage benchmark seals what it measures, and with
    --set benchmark.beside=[v1@1] how many times as long it takes as another run's network.
    """
    del as_json
    names = (*names, run) if run else names
    chosen = named(session, names, weights, settings)
    config = BenchmarkConfig(
        image_size=size,
        batch_size=batch,
        runs=passes,
        warmup=warmup,
        threads=threads,
        device=settled_device(session, device),
        precision=precision,
    )
    with progress(session) as report:
        networks = [build(session, settle(session, network)) for network in chosen]
        first, *others = measure(networks, config, report)
        data = {
            "name": (*names, str(weights))[0],
            "image_size": size,
            "batch_size": batch,
            **first,
            "beside": [
                {"name": name, **other} for name, other in zip(names[1:], others, strict=True)
            ],
            "layers": measure_layers(networks[0], config, report) if layers else None,
            "training": measure_training(networks[0], config, report) if training else None,
        }
    if first["marks"]:
        why = Disturbances.of(first["circumstances"]).text()
        session.warn(
            f"the times are disturbed: {why}; end other programs and measure again before they are"
            " compared or told"
        )
    emit(session, "benchmark", data, view)


def named(
    session: Session, names: tuple[str, ...], weights: Path | None, settings: tuple[str, ...]
) -> list[Chosen]:
    """Return what each of NAMES means: a variant, a file of weights, or else a run.

    Raises:
        UsageError: nothing is named, a name is unknown, or WEIGHTS or SETTINGS are given for
            several networks, or WEIGHTS for one that has its own.
        NotFoundError: there is no such run.
    """
    if not names and weights is None:
        raise UsageError("no network to measure", "name one: thesis benchmark v2; or a run: v2@1")
    if len(names) > 1 and (weights is not None or settings):
        raise UsageError(
            f"{'--set' if weights is None else '--weights'} is of one network; there are several",
            f"name files and runs themselves: thesis benchmark {names[0]} weights.safetensors",
        )
    if weights is None:
        return [_meant(session, name, settings) for name in names]
    if names and names[0] not in VARIANTS:
        raise UsageError(f"{names[0]} has weights of its own", "leave out --weights")
    return [Chosen(names[0] if names else None, weights, None, settings)]


def _meant(session: Session, name: str, settings: tuple[str, ...]) -> Chosen:
    from experiments.records.store import Store

    if name in VARIANTS:
        return Chosen(variant=name, settings=settings)
    if Path(name).is_file():
        return Chosen(weights=Path(name), settings=settings)
    try:
        Store(session.workspace).find(name)
    except NotFoundError as error:
        if "@" in name:
            raise
        raise UsageError(
            unknown("variant, file of weights or run", name, VARIANTS), "thesis model list"
        ) from error
    return Chosen(run=name, settings=settings)


def measure(
    networks: list[Detector], config: BenchmarkConfig, report: OnProgress
) -> list[dict[str, Any]]:
    """Count the networks and time them in turns; all but the first tell their ratio to it."""
    from featherface.profiling import timing
    from featherface.profiling.paired_ratio import paired_ratio

    timed = timing.latencies(networks, config, report)
    answers = [tell(*pair, config) for pair in zip(networks, timed, strict=True)]
    for answer, other in zip(answers[1:], timed[1:], strict=True):
        answer["ratio"] = paired_ratio(other.runs, timed[0].runs).to_json()
    return answers


def tell(network: Detector, timed: Latency, config: BenchmarkConfig) -> dict[str, Any]:
    """Tell what a network counts and took."""
    import torch

    from experiments.records.provenance import hardware_name
    from featherface.profiling import counting, memory

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
        "marks": list(timed.marks),
        "circumstances": timed.circumstances.to_json(),
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
    said = marks_text(tuple(data["marks"]), "en")
    marks = f" ({said})" if said else ""
    facts = {
        "network": f"{data['name']}, {data['parameters']:,} parameters",
        "setting": f"{side}×{side}, batch {count}, {where}",
        "time": f"{quantity(data['median_ms'], 'ms', '.2f')} median, "
        f"{quantity(data['p90_ms'], 'ms', '.2f')} p90"
        f" of {len(data['runs_ms'])} passes{marks}",
        "memory": f"{quantity(data['peak_mb'], 'MB', '.1f')} at most, "
        f"weights {quantity(data['size_fp32_mb'], 'MB', '.2f')}",
        "MACs": quantity(data["macs"], "MACs"),
    }
    blocks: list[Block] = [Grid([], [], facts=facts)]
    if data["beside"]:
        blocks += ["", ratio_grid(data)]
    if data["layers"]:
        blocks += ["", layer_grid(data["layers"])]
    if data["training"]:
        blocks += ["", *data["training"]["said"]]
    return blocks


def ratio_grid(data: dict[str, Any]) -> Grid:
    """Tabulate the networks that were timed in turns, and how many times as long each takes."""
    columns = ["network", ">parameters", ">median ms", ">p90 ms", ">memory MB"]
    columns += [f">times {data['name']}", "95% interval"]
    rows = []
    for each in (data, *data["beside"]):
        ratio = each.get("ratio")
        ends = [quantity(ratio[end], "", ".3f") for end in ("low", "high")] if ratio else []
        rows.append(
            [
                each["name"],
                quantity(each["parameters"], "parameters"),
                quantity(each["median_ms"], "", ".2f"),
                quantity(each["p90_ms"], "", ".2f"),
                quantity(each["peak_mb"], "", ".1f"),
                quantity(ratio["value"], "", ".3f") if ratio else "",
                f"{ends[0]} to {ends[1]}, {ratio['pairs']} pairs" if ratio else "",
            ]
        )
    return Grid(columns, rows)


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
