"""Latency of a forward pass, in milliseconds."""

from __future__ import annotations

import contextlib
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from featherface.devices.precision import computing
from featherface.devices.select import choose
from featherface.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from featherface.profiling.config import BenchmarkConfig
    from featherface.progress import OnProgress


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


def latency(model: nn.Module, config: BenchmarkConfig, on_progress: OnProgress = silent) -> Latency:
    """Time the forward pass on random pictures, after a warm-up."""
    device = choose(config.device)
    with measuring(model, device, config), torch.inference_mode():
        images = made_up(config, device)
        runs: list[float] = []
        for index in range(-config.warmup, config.runs):
            spent = _time(model, images)
            if index >= 0:
                runs.append(spent)
                on_progress(Progress("benchmark", index + 1, config.runs, "runs"))
        threads = torch.get_num_threads()
    median, high = statistics_of(runs)
    return Latency(
        median=median,
        p90=high,
        runs=tuple(runs),
        device=str(device),
        threads=threads,
        precision=config.precision,
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


def _time(model: nn.Module, images: Tensor) -> float:
    wait(images.device)
    start = time.perf_counter()
    model(images)
    wait(images.device)
    return 1000 * (time.perf_counter() - start)


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
