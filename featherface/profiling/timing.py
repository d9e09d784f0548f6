"""Latency of a forward pass, in milliseconds, of one network or of several in turns."""

from __future__ import annotations

import contextlib
import statistics
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from featherface.devices.precision import computing
from featherface.devices.select import choose
from featherface.profiling import machine as this_machine
from featherface.profiling.circumstances import MachineCircumstances, Stretch, drift, widest_spread
from featherface.profiling.reference_work import reference_work
from featherface.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor, nn

    from featherface.profiling.config import BenchmarkConfig
    from featherface.progress import OnProgress


DISTURBED = "disturbed"
"""Mark of a time that was taken while the machine was not left alone."""
REFERENCE_BLOCKS = 5
"""Times the reference is measured: before the passes, three times between them, and after."""
REFERENCE_PASSES = 7
"""Passes of the reference each time, of which the median counts."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Milliseconds of one forward pass."""

    median: float
    p90: float
    """Nine passes of ten took no longer."""
    runs: tuple[float, ...]
    """Every timed pass, in order."""
    device: str
    """Where: `cpu`, `cuda:1`, …"""
    threads: int
    precision: str
    """One of `featherface.devices.precision.PRECISIONS`."""
    circumstances: MachineCircumstances
    """What is known of the machine meanwhile; the same for networks that were timed in turns."""

    @property
    def marks(self) -> tuple[str, ...]:
        """`disturbed` where the machine was not left alone; else nothing."""
        return (DISTURBED,) if self.circumstances.disturbances else ()


def latency(model: nn.Module, config: BenchmarkConfig, on_progress: OnProgress = silent) -> Latency:
    """Time the forward pass on random pictures, after a warm-up."""
    (timed,) = latencies([model], config, on_progress)
    return timed


def latencies(
    models: Sequence[nn.Module], config: BenchmarkConfig, on_progress: OnProgress = silent
) -> tuple[Latency, ...]:
    """Time the forward passes of MODELS in turns (A B, B A, A B, …), after a warm-up of each.

    The i-th passes of all are taken one right after the other, so that they make pairs.
    """
    device = choose(config.device)
    machine = this_machine.THIS
    before, times, start = machine.state(), machine.times(), machine.clock()
    with contextlib.ExitStack() as settings:
        for model in models:
            settings.enter_context(measuring(model, device, config))
        settings.enter_context(torch.inference_mode())
        passes, reference = _in_turns(models, config, device, on_progress)
        threads = torch.get_num_threads()
    stretch = Stretch(seconds=machine.clock() - start, before=times, after=machine.times())
    circumstances = MachineCircumstances(
        reference_ms=tuple(reference),
        reference=drift(reference),
        spread=widest_spread(passes),
        load=stretch.crowding(threads) if device.type == "cpu" else None,
        other_cores=stretch.other_cores,
        cores=times.cores if times else None,
        before=before,
        after=machine.state(),
    )
    return tuple(_latency(runs, device, threads, config, circumstances) for runs in passes)


def _in_turns(
    models: Sequence[nn.Module],
    config: BenchmarkConfig,
    device: torch.device,
    on_progress: OnProgress,
) -> tuple[list[list[float]], list[float]]:
    """Return the milliseconds of every timed pass of each model, and of the reference's blocks."""
    images, work = made_up(config, device), reference_work(device)
    passes: list[list[float]] = [[] for _ in models]
    for _ in range(config.warmup):
        for model in models:
            model(images)
    work()
    reference = [_reference(work, device)]
    for index in range(config.runs):
        order = range(len(models)) if index % 2 == 0 else reversed(range(len(models)))
        for place in order:
            passes[place].append(_time(partial(models[place], images), device))
        on_progress(Progress("benchmark", index + 1, config.runs, "runs"))
        if (index + 1) * (REFERENCE_BLOCKS - 1) // config.runs >= len(reference):
            reference.append(_reference(work, device))
    return passes, reference


def _latency(
    runs: Sequence[float],
    device: torch.device,
    threads: int,
    config: BenchmarkConfig,
    circumstances: MachineCircumstances,
) -> Latency:
    median, high = statistics_of(runs)
    return Latency(
        median=median,
        p90=high,
        runs=tuple(runs),
        device=str(device),
        threads=threads,
        precision=config.precision,
        circumstances=circumstances,
    )


def statistics_of(runs: Sequence[float]) -> tuple[float, float]:
    """Return the median of RUNS, and what nine of ten do not exceed.

    >>> statistics_of([3.0, 1.0, 2.0])
    (2.0, 3.0)
    """
    return statistics.median(runs), _percentile(runs, 0.9)


@contextlib.contextmanager
def measuring(model: nn.Module, device: torch.device, config: BenchmarkConfig) -> Iterator[None]:
    """Put the network in evaluation mode on DEVICE; everything is as before afterwards.

    It computes with CONFIG's threads and in its precision.

    Raises:
        UsageError: DEVICE can't compute in that precision.
    """
    training, home = model.training, next(model.parameters()).device
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(config.threads or before)
        model.eval().to(device)
        with computing(model, config.precision):
            yield
    finally:
        torch.set_num_threads(before)
        model.train(training).to(home)


def made_up(config: BenchmarkConfig, device: torch.device) -> Tensor:
    """Return the random pictures (B,3,S,S) that CONFIG asks for, the same at every call."""
    side = config.image_size
    generator = torch.Generator().manual_seed(0)
    shape = (config.batch_size, 3, side, side)
    return (torch.rand(shape, generator=generator) * 255 - 115).to(device)


def wait(device: torch.device) -> None:
    """Let queued work finish, where the device queues."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _reference(work: Callable[[], object], device: torch.device) -> float:
    """Return the milliseconds of the reference, the median of a few."""
    return statistics.median([_time(work, device) for _ in range(REFERENCE_PASSES)])


def _time(work: Callable[[], object], device: torch.device) -> float:
    clock = this_machine.THIS.clock
    wait(device)
    start = clock()
    work()
    wait(device)
    return 1000 * (clock() - start)


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
