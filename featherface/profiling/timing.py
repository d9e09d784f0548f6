"""Latency of a forward pass, in milliseconds, of one network or of several in turns."""

from __future__ import annotations

import contextlib
import statistics
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import torch

from featherface.devices.precision import computing
from featherface.devices.select import choose
from featherface.engines.table import TORCH
from featherface.profiling import machine as this_machine
from featherface.profiling.circumstances import MachineCircumstances, Stretch, drift, widest_spread
from featherface.profiling.pass_statistics import PassStatistics, percentile
from featherface.profiling.reference_work import reference_work
from featherface.profiling.stopwatch import CLOCK, milliseconds, source, wait
from featherface.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor, nn

    from featherface.engines.engine import Engine
    from featherface.profiling.config import BenchmarkConfig
    from featherface.progress import OnProgress


DISTURBED = "disturbed"
"""Mark of a time that was taken while the machine was not left alone."""
REFERENCE_BLOCKS = 5
"""Times the reference is measured: before the passes, three times between them, and after."""
REFERENCE_PASSES = 7
"""Passes of the reference each time, of which the median counts."""

__all__ = ["latencies", "latency", "made_up", "measuring", "timed_in_turns", "wait"]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A piece of work that is timed, and where."""

    work: Callable[[], object]
    device: torch.device
    ready: Callable[[], contextlib.AbstractContextManager[object]]
    """Puts what works in order for the block inside it."""
    engine: str = TORCH
    """What computes, of `featherface.engines.table.ENGINES`."""
    host_works: bool = False
    """Whether the host does a part of it, such as suppressing duplicates."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Milliseconds of one forward pass, or of another piece of work."""

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
    engine: str = TORCH
    """What computed, of `featherface.engines.table.ENGINES`."""
    clock: str = CLOCK
    """What took the time, see `featherface.profiling.stopwatch`."""

    @cached_property
    def statistics(self) -> PassStatistics:
        """What the passes come to."""
        return PassStatistics.of(self.runs)

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
    return timed_in_turns([forward(model, device, config) for model in models], config, on_progress)


def forward(model: nn.Module, device: torch.device, config: BenchmarkConfig) -> Workload:
    """Return a forward pass of MODEL on DEVICE over CONFIG's random pictures."""
    work = partial(model, made_up(config, device))
    return Workload(work=work, device=device, ready=partial(measuring, model, device, config))


def forward_of_engine(engine: Engine, config: BenchmarkConfig) -> Workload:
    """Return a pass of ENGINE, which is on its own device, over CONFIG's random pictures."""
    return Workload(
        work=partial(engine, made_up(config, engine.device)),
        device=engine.device,
        ready=partial(engine.ready, config.precision),
        engine=engine.name,
    )


def timed_in_turns(
    workloads: Sequence[Workload], config: BenchmarkConfig, on_progress: OnProgress = silent
) -> tuple[Latency, ...]:
    """Time WORKLOADS in turns (A B, B A, A B, …), CONFIG's runs of each, after its warm-up.

    The i-th passes of all are taken one right after the other, so that they make pairs.
    """
    machine = this_machine.THIS
    before, times, start = machine.state(), machine.times(), machine.clock()
    with contextlib.ExitStack() as settings:
        settings.enter_context(computing_threads(config.threads))
        for workload in workloads:
            settings.enter_context(workload.ready())
        # Priors that a whole detection makes are kept, and a training that follows reads them.
        whole = any(workload.host_works for workload in workloads)
        settings.enter_context(torch.no_grad() if whole else torch.inference_mode())
        passes, reference = _in_turns(workloads, config, on_progress)
        threads = torch.get_num_threads()
    stretch = Stretch(seconds=machine.clock() - start, before=times, after=machine.times())
    on_processor = any(workload.device.type == "cpu" for workload in workloads)
    circumstances = MachineCircumstances(
        reference_ms=tuple(reference),
        reference=drift(reference),
        spread=widest_spread(passes),
        load=stretch.crowding(threads) if on_processor else None,
        other_cores=stretch.other_cores,
        cores=times.cores if times else None,
        before=before,
        after=machine.state(),
    )
    return tuple(
        _latency(runs, workload, threads, config, circumstances)
        for runs, workload in zip(passes, workloads, strict=True)
    )


def _in_turns(
    workloads: Sequence[Workload], config: BenchmarkConfig, on_progress: OnProgress
) -> tuple[list[list[float]], list[float]]:
    """Return the milliseconds of every timed pass of each, and of the reference's blocks."""
    device = workloads[0].device
    work = reference_work(device)
    passes: list[list[float]] = [[] for _ in workloads]
    for _ in range(config.warmup):
        for workload in workloads:
            workload.work()
    work()
    reference = [_reference(work, device)]
    for index in range(config.runs):
        order = range(len(workloads)) if index % 2 == 0 else reversed(range(len(workloads)))
        for place in order:
            passes[place].append(_milliseconds(workloads[place]))
        on_progress(Progress("benchmark", index + 1, config.runs, "runs"))
        if (index + 1) * (REFERENCE_BLOCKS - 1) // config.runs >= len(reference):
            reference.append(_reference(work, device))
    return passes, reference


def _latency(
    runs: Sequence[float],
    workload: Workload,
    threads: int,
    config: BenchmarkConfig,
    circumstances: MachineCircumstances,
) -> Latency:
    median, high = statistics_of(runs)
    return Latency(
        median=median,
        p90=high,
        runs=tuple(runs),
        device=str(workload.device),
        threads=threads,
        precision=config.precision,
        circumstances=circumstances,
        engine=workload.engine,
        clock=source(workload.device, host_works=workload.host_works),
    )


def statistics_of(runs: Sequence[float]) -> tuple[float, float]:
    """Return the median of RUNS, and what nine of ten do not exceed.

    >>> statistics_of([3.0, 1.0, 2.0])
    (2.0, 3.0)
    """
    return statistics.median(runs), percentile(runs, 0.9)


@contextlib.contextmanager
def measuring(model: nn.Module, device: torch.device, config: BenchmarkConfig) -> Iterator[None]:
    """Put the network in evaluation mode on DEVICE; everything is as before afterwards.

    It computes with CONFIG's threads and in its precision.

    Raises:
        UsageError: DEVICE can't compute in that precision.
    """
    training, home = model.training, next(model.parameters()).device
    with computing_threads(config.threads):
        try:
            model.eval().to(device)
            with computing(model, config.precision):
                yield
        finally:
            model.train(training).to(home)


@contextlib.contextmanager
def computing_threads(threads: int) -> Iterator[None]:
    """Let PyTorch compute with so many THREADS of the CPU inside the block; 0 changes nothing."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads or before)
        yield
    finally:
        torch.set_num_threads(before)


def made_up(config: BenchmarkConfig, device: torch.device) -> Tensor:
    """Return the random pictures (B,3,S,S) that CONFIG asks for, the same at every call."""
    side = config.image_size
    generator = torch.Generator().manual_seed(0)
    shape = (config.batch_size, 3, side, side)
    return (torch.rand(shape, generator=generator) * 255 - 115).to(device)


def _reference(work: Callable[[], object], device: torch.device) -> float:
    """Return the milliseconds of the reference, the median of a few."""
    return statistics.median([milliseconds(work, device) for _ in range(REFERENCE_PASSES)])


def _milliseconds(workload: Workload) -> float:
    return milliseconds(workload.work, workload.device, host_works=workload.host_works)
