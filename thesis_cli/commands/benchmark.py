"""`thesis benchmark`: what a network costs on this machine."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from experiments.disturbances import Disturbances
from featherface.engines.opening import engine_of
from featherface.engines.table import ENGINES, TORCH
from featherface.errors import NotFoundError, UsageError, unknown
from featherface.profiling.config import BenchmarkConfig
from featherface.variants.table import VARIANTS
from thesis_cli.commands.benchmark_matrix import run_matrix
from thesis_cli.commands.benchmark_tables import view
from thesis_cli.completion import complete_network
from thesis_cli.groups import Command, pass_session
from thesis_cli.networks.loading import build, settle, settled_device
from thesis_cli.networks.options import (
    Chosen,
    device_option,
    precision_option,
    run_option,
    settings_option,
    weights_option,
)
from thesis_cli.output import emit, json_option
from thesis_cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.benchmarking.cases import Measured
    from experiments.benchmarking.subjects import TimedSubject
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress
    from thesis_cli.session import Session

DEFAULT = BenchmarkConfig()


def whole_numbers(_context: object, _parameter: object, text: str) -> tuple[int, ...]:
    """Read `1,4`, each number once.

    Raises:
        BadParameter: a part is no whole number.
    """
    try:
        return tuple(dict.fromkeys(int(part) for part in str(text).split(",")))
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: write whole numbers like 1 or 1,4") from error


def engine_names(_context: object, _parameter: object, text: str) -> tuple[str, ...]:
    """Read `torch,onnxruntime`, each name once.

    Raises:
        UsageError: there is no such engine.
    """
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in ENGINES:
            raise UsageError(f"--engine: {unknown('engine', name, ENGINES)}")
    return names


@click.command(cls=Command)
@click.argument("names", metavar="A [B]...", nargs=-1, shell_complete=complete_network)
@weights_option
@run_option
@settings_option
@click.option(
    "--size",
    "sizes",
    default=str(DEFAULT.image_size),
    show_default=True,
    callback=whole_numbers,
    help="Side in pixels; several with commas.",
)
@click.option(
    "--batch",
    "batches",
    default=str(DEFAULT.batch_size),
    show_default=True,
    callback=whole_numbers,
    help="Pictures at a time; several with commas.",
)
@click.option("--warmup", default=DEFAULT.warmup, show_default=True, help="Passes before those.")
@click.option(
    "--passes", "--runs", "passes", default=DEFAULT.runs, show_default=True, help="Timed passes."
)
@click.option(
    "--engine",
    "engines",
    default=TORCH,
    show_default=True,
    callback=engine_names,
    help=f"What computes: {', '.join(ENGINES)}; several with commas, in turns.",
)
@click.option("--threads", default=DEFAULT.threads, help="CPU threads; default: PyTorch's choice.")
@device_option
@precision_option
@click.option(
    "--end-to-end", is_flag=True, help="Also whole detections, from a picture in memory to boxes."
)
@click.option("--layers", is_flag=True, help="Also time and memory of every layer.")
@click.option("--training", is_flag=True, help="Also what `auto` would choose in a recipe's train.")
@click.option(
    "--matrix",
    is_flag=True,
    help="Seal a run of each: every format possible here, compared, timed and evaluated.",
)
@click.option(
    "--to", type=click.Choice(["vault"]), help="With --matrix: bring the vault up to date."
)
@json_option
@click.pass_context
@pass_session
def benchmark(  # noqa: PLR0913 - one parameter per option
    session: Session,
    context: click.Context,
    *,
    names: tuple[str, ...],
    weights: Path | None,
    run: str | None,
    settings: tuple[str, ...],
    sizes: tuple[int, ...],
    batches: tuple[int, ...],
    warmup: int,
    passes: int,
    engines: tuple[str, ...],
    threads: int,
    device: str | None,
    precision: str,
    end_to_end: bool,
    layers: bool,
    training: bool,
    matrix: bool,
    to: str | None,
    as_json: bool,
) -> None:
    """Measure time and memory of networks on this machine; several are timed in turns.

    A and B are variants, files of weights, ONNX files, or runs such as v1@1. For a number that the
    thesis may use, run the experiment: thesis run NAME --stage benchmark seals what it measures,
    and with --set benchmark.beside=[v1@1] how many times as long it takes as another run's
    network.

    With --matrix A and B are experiments that have weights, or their runs: a new run of each
    seals what it finds, and takes, in every format.
    """
    del as_json
    names = (*names, run) if run else names
    if matrix:
        check_matrix(names, weights, context)
        overrides = [*settings, *recipe_settings(context)]
        run_matrix(session, names, overrides, to_vault=to is not None)
        return
    if to:
        raise UsageError(f"--to {to} is of --matrix", "thesis benchmark --matrix NAME --to vault")
    chosen = named(session, names, weights, settings)
    config = BenchmarkConfig(
        image_size=sizes[0],
        batch_size=batches[0],
        sizes=sizes,
        batches=batches,
        engines=engines,
        runs=passes,
        warmup=warmup,
        threads=threads,
        device=settled_device(session, device),
        precision=precision,
        end_to_end=end_to_end,
    )
    place = tempfile.TemporaryDirectory(prefix="thesis-", ignore_cleanup_errors=True)
    with progress(session) as report, place as folder:
        subjects = subjects_of(session, chosen, config, Path(folder))
        warn_of_untrained(session, subjects, config)
        measured = measure(subjects, config, report)
        first, *others = measured[0]
        warn_of_left_out(session, subjects, measured)
        own = own_network(subjects[0]) if layers or training else None
        data = {
            **tell(first),
            "name": (*names, str(weights))[0],
            "image_size": sizes[0],
            "batch_size": batches[0],
            "beside": [{**tell(other), "ratio": ratio_of(other)} for other in others],
            "cases": [tell_case(case) for case in measured],
            "layers": measure_layers(own, config, report) if own and layers else None,
            "training": measure_training(own, config, report) if own and training else None,
        }
    warn_of_disturbances(session, measured)
    for reason in dict.fromkeys(each.memory_missing for case in measured for each in case):
        if reason:
            session.warn(reason)
    emit(session, "benchmark", data, view)


RECIPE_KEYS = {
    "sizes": "image_size",
    "batches": "batch_size",
    "warmup": "warmup",
    "passes": "runs",
    "threads": "threads",
    "device": "device",
    "precision": "precision",
}
"""Parameter -> key of a recipe's `benchmark` that it sets for a matrix."""
NOT_OF_MATRIX = {
    "engines": "--engine",
    "end_to_end": "--end-to-end",
    "layers": "--layers",
    "training": "--training",
}


def given(context: click.Context, name: str) -> bool:
    """Whether the parameter NAME was typed."""
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def check_matrix(names: tuple[str, ...], weights: Path | None, context: click.Context) -> None:
    """Refuse what a matrix can't do.

    Raises:
        UsageError: nothing is named, or an option has no part in it.
    """
    if not names:
        raise UsageError("no network for the matrix", "name experiments: --matrix v1 v2")
    if weights is not None:
        raise UsageError(
            "--weights has no part in --matrix: a record says of what its weights are",
            f"thesis run {names[0]} --stage evaluate --set model.weights={weights}",
        )
    for name, option in NOT_OF_MATRIX.items():
        if given(context, name):
            raise UsageError(f"{option} has no part in --matrix", f"leave out {option}")
    for name in ("sizes", "batches"):
        if len(context.params[name]) > 1:
            raise UsageError("a matrix has one size and one batch", "name one of each")


def recipe_settings(context: click.Context) -> list[str]:
    """Return the options that were typed, as settings of a recipe."""
    values = {
        key: context.params[name] for name, key in RECIPE_KEYS.items() if given(context, name)
    }
    return [
        f"benchmark.{key}={value[0] if isinstance(value, tuple) else value}"
        for key, value in values.items()
    ]


class NamedSubject(NamedTuple):
    """A network to measure, as it was named."""

    name: str
    chosen: Chosen | None = None
    file: Path | None = None
    """A file that an engine runs by itself."""


def named(
    session: Session, names: tuple[str, ...], weights: Path | None, settings: tuple[str, ...]
) -> list[NamedSubject]:
    """Return what each of NAMES means: a variant, a file, or else a run.

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
    if engine_of(weights):
        return [_meant(session, str(weights), settings)]
    chosen = Chosen(names[0] if names else None, weights, None, settings)
    return [NamedSubject(names[0] if names else str(weights), chosen)]


def _meant(session: Session, name: str, settings: tuple[str, ...]) -> NamedSubject:
    from experiments.records.store import Store

    if name in VARIANTS:
        return NamedSubject(name, Chosen(variant=name, settings=settings))
    path = Path(name)
    if path.is_file() and engine_of(path):
        if settings:
            raise UsageError(f"--set: {name} has its settings in it", "leave out --set")
        return NamedSubject(name, file=path)
    if path.is_file():
        return NamedSubject(name, Chosen(weights=path, settings=settings))
    try:
        Store(session.workspace).find(name)
    except NotFoundError as error:
        if "@" in name:
            raise
        raise UsageError(
            unknown("variant, file of weights or run", name, VARIANTS), "thesis model list"
        ) from error
    return NamedSubject(name, Chosen(run=name, settings=settings))


def subjects_of(
    session: Session, chosen: Sequence[NamedSubject], config: BenchmarkConfig, folder: Path
) -> list[TimedSubject]:
    """Build or open each network; those of PyTorch's once for each engine, converted to FOLDER."""
    import torch

    from experiments.benchmarking.subjects import TimedSubject, computed_by, of_file

    threads = config.threads or torch.get_num_threads()
    subjects = []
    for place, each in enumerate(chosen):
        if each.file is not None:
            subjects.append(of_file(each.file, threads))
            continue
        network = settle(session, each.chosen or Chosen())
        own = TimedSubject(
            name=each.name,
            network=build(session, network),
            file=network.weights,
            trained=network.weights is not None,
        )
        for engine in config.engines:
            inner = folder / f"{place}-{engine}"
            subjects.append(computed_by(own, engine, network.variant, inner, threads))
    return subjects


def measure(
    subjects: Sequence[TimedSubject], config: BenchmarkConfig, report: OnProgress
) -> list[tuple[Measured, ...]]:
    """Measure every case; all subjects but a case's first tell their ratio to it.

    Raises:
        UsageError: no subject takes pictures of any of the sizes.
    """
    from experiments.benchmarking import cases

    measured = list(cases.measure(subjects, config, config.cases, report))
    if not measured:
        fixed = {subject.engine.fixed_size for subject in subjects if subject.engine}
        sizes = ", ".join(f"{width}×{height}" for height, width in filter(None, fixed))
        raise UsageError(f"no network takes pictures of these sizes, but of {sizes}", "--size N")
    return measured


def tell(measured: Measured) -> dict[str, Any]:
    """Tell what one network took in one case, under the names of the first version too."""
    data = measured.to_json()
    del data["ratio"]
    return data | {
        "peak_mb": measured.memory.max if measured.memory else None,
        "circumstances": measured.latency.circumstances.to_json(),
    }


def ratio_of(measured: Measured) -> dict[str, Any] | None:
    """Tell how many times as long it took as the case's first network."""
    return measured.ratio.to_json() if measured.ratio else None


def tell_case(measured: Sequence[Measured]) -> dict[str, Any]:
    """Tell a case, and what each network took in it."""
    first = measured[0]
    return {
        "image_size": first.config.image_size,
        "batch_size": first.config.batch_size,
        "work": first.work,
        "passes": len(first.latency.runs),
        "warmup": first.config.warmup,
        "circumstances": first.latency.circumstances.to_json(),
        "networks": [each.to_json() for each in measured],
    }


def own_network(subject: TimedSubject) -> Detector:
    """Return the network of SUBJECT, as PyTorch computes it.

    Raises:
        UsageError: another engine does.
    """
    if subject.engine is not None:
        raise UsageError(
            f"--layers and --training look into PyTorch; {subject.engine.name} computes"
            f" {subject.name}",
            f"leave out --engine, or give --engine {TORCH}",
        )
    return subject.network


def warn_of_untrained(
    session: Session, subjects: Sequence[TimedSubject], config: BenchmarkConfig
) -> None:
    """Warn where whole detections find noise or nothing, and take another time than with faces."""
    names = dict.fromkeys(subject.name for subject in subjects if not subject.trained)
    if config.end_to_end and names:
        listed = " and ".join(names)
        session.warn(
            f"{listed}: a network without trained weights finds noise or nothing, so the time of"
            " its whole detections tells little; name a run or a file of weights: thesis benchmark"
            " v2@1 --end-to-end"
        )


def warn_of_left_out(
    session: Session, subjects: Sequence[TimedSubject], measured: Sequence[tuple[Measured, ...]]
) -> None:
    """Warn of cases that a file of one size has no part in."""
    for case in measured:
        side = case[0].config.image_size
        for subject in subjects:
            if not subject.takes(side):
                session.warn(f"{subject.name} takes no pictures of {side}×{side}: left out there")


def warn_of_disturbances(session: Session, measured: Sequence[tuple[Measured, ...]]) -> None:
    """Warn once of times that were taken while the machine was not left alone."""
    disturbed = [case[0] for case in measured if case[0].latency.marks]
    if not disturbed:
        return
    why = Disturbances.of(disturbed[0].latency.circumstances.to_json()).text()
    which = "" if len(measured) == 1 else f" in {len(disturbed)} of {len(measured)} cases"
    session.warn(
        f"the times are disturbed{which}: {why}; end other programs and measure again before they"
        " are compared or told"
    )


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
