"""Automatic choice of batch size, precision and memory format, by measuring training steps.

The measurements train a copy of the network on made-up pictures, so training itself starts as if
nothing had been measured. What was chosen is to be written down: a measurement never gives the
same twice, and a training that goes on must go on as it began.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from featherface.devices.kept_memory import keeps_memory, kept_memory
from featherface.devices.select import choose
from featherface.errors import UnavailableError, UsageError
from featherface.profiling.capacity import largest, release
from featherface.profiling.memory import free_bytes
from featherface.progress import silent
from featherface.training.config.train import AUTO
from featherface.training.optimization.curriculum import largest_side
from featherface.training.tuning.step_benchmark import FACES, StepBenchmark
from featherface.training.tuning.timing import (
    SETTINGS,
    Timing,
    fastest,
    probe,
    settings,
    time_settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.terms import Teacher

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Batch sizes to choose from: few, so that a little more free memory chooses the same."""
SHARE = 0.8
"""Of the free memory that a batch may take: what was not foreseen needs some too."""
KEPT_SHARE = 0.5
"""The same where steps keep what they free (`train.keep_memory`): gaps between what is in use took
up to 56 % more."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """The largest batch that memory allows, and how that was found."""

    method: str
    """`tried`: steps were made until memory ran out; `estimated`: from tensors of small steps."""
    free_bytes: int
    """Before the search."""
    batch_size: int
    bytes_fixed: int | None = None
    """Estimated, whatever the batch."""
    bytes_per_picture: int | None = None
    """Estimated."""
    tried: dict[str, bool] | None = None
    """Batch size -> whether it fitted."""

    def sentence(self) -> str:
        """Say what was found."""
        free = f"{self.free_bytes / 1e9:.1f} GB are free"
        if self.bytes_per_picture is None:
            return f"a batch of {self.batch_size} fits; {free}"
        each = f"{self.bytes_per_picture / 1e6:.0f} MB per picture"
        return f"a batch of {self.batch_size} should fit: {each}, {free}"


@dataclass(frozen=True, kw_only=True)
class MeasuredChoice:
    """The settings that were chosen, with the measurements behind them."""

    config: TrainConfig
    """The configuration with every `auto` replaced."""
    device: str
    measured: tuple[str, ...]
    """Keys that were left to the machine."""
    timings: tuple[Timing, ...] = ()
    room: Room | None = None

    def sentences(self) -> list[str]:
        """Say what was chosen and why, for a log."""
        values = [f"train.{key} = {getattr(self.config, key)}".lower() for key in self.measured]
        lines = [f"measured on {self.device}: {', '.join(values)}"]
        lines += [timing.sentence() for timing in self.timings]
        return lines + ([self.room.sentence()] if self.room else [])


def check_alone(config: TrainConfig) -> None:
    """Refuse to measure where several processes train together.

    Raises:
        UsageError: they do, and CONFIG leaves something to the machine.
    """
    measured = config.unsettled
    if measured and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            f"train.{measured[0]} = auto: processes that train together might choose differently",
            f"measure in one process, then give the value: --set train.{measured[0]}=VALUE",
        )


def settle(
    model: Detector,
    config: TrainConfig,
    *,
    pictures: int = SIZES[-1],
    faces: int = FACES,
    teacher: Teacher | None = None,
    on_progress: OnProgress = silent,
) -> MeasuredChoice:
    """Replace every `auto` of CONFIG by what suits this machine.

    Room is found first, in the usual setting, then settings are timed with as many pictures as
    they will be trained with; another setting than the usual one finds its own room.

    Args:
        model: the network to train; left as it is.
        config: how to train.
        pictures: in the train split; no batch is larger.
        faces: most in one picture, which decides what matching needs.
        teacher: a frozen detector that takes time and memory beside it.
        on_progress: told of every timed step.

    Raises:
        UnavailableError: not even one picture fits in memory.
        UsageError: several processes train together, which must all do the same.
    """
    check_alone(config)
    measured, device = config.unsettled, choose(config.device)
    sizes = [size for size in SIZES if size <= pictures] or [1]

    def room_of(setting: TrainConfig) -> Room:
        side = largest_side(setting)
        benchmark = StepBenchmark(model, setting, device, teacher, faces=faces, side=side)
        return find_room(benchmark, sizes)

    options = settings(config, device)
    best = options[0]
    room = room_of(best) if config.batch_size == AUTO else None
    timings: tuple[Timing, ...] = ()
    if set(SETTINGS) & set(measured):
        count = probe(device, room.batch_size if room else config.pictures)
        with kept_memory(device, wanted=config.keep_memory):
            timings = time_settings(model, options, count, device, teacher, on_progress)
        best = replace(best, **fastest(timings).setting)
        if room is not None and needs_other_room(best, options[0], device):
            room = room_of(best)
    if room is not None:
        best = replace(best, batch_size=room.batch_size)
    release()
    return MeasuredChoice(
        config=best, device=str(device), measured=measured, timings=timings, room=room
    )


def needs_other_room(best: TrainConfig, usual: TrainConfig, device: torch.device) -> bool:
    """Whether a batch that fits in the USUAL setting tells little of the BEST one.

    Half precision takes less memory, and cuDNN's fastest kernels more. A CPU's choice follows from
    the tensors alone, whatever their order.
    """
    return best != usual if device.type == "cuda" else best.amp != usual.amp


def find_room(benchmark: StepBenchmark, sizes: Sequence[int]) -> Room:
    """Return the largest of SIZES that TRIAL can train with.

    On CUDA by making steps until memory runs out. Elsewhere nothing says no in time: systems lend
    memory that they don't have and kill whoever uses it. There the tensors of steps with two and
    with four pictures tell what more of them need.

    Raises:
        UnavailableError: not even one picture fits.
    """
    free = free_bytes(benchmark.device)
    room = (
        _tried(benchmark, sizes, free)
        if benchmark.device.type == "cuda"
        else _estimated(benchmark, sizes, free)
    )
    if room is None:
        raise UnavailableError(
            f"not even one picture of {benchmark.side} pixels fits in the"
            f" {free / 1e9:.1f} GB that are free on {benchmark.device}",
            "lower train.image_size or train.multi_scale, or close other programs",
        )
    return room


def _tried(benchmark: StepBenchmark, sizes: Sequence[int], free: int) -> Room | None:
    tried: dict[str, bool] = {}

    def fits(size: int) -> bool:
        tried[str(size)] = False
        torch.cuda.reset_peak_memory_stats(benchmark.device)
        before = torch.cuda.memory_allocated(benchmark.device)
        for _ in range(2):  # the second with what the optimizer remembers
            benchmark.step(size)
        used = torch.cuda.max_memory_allocated(benchmark.device) - before
        tried[str(size)] = used <= SHARE * free
        return tried[str(size)]

    size = largest(sizes, fits)
    if size is None:
        return None
    return Room(method="tried", free_bytes=free, batch_size=size, tried=tried)


def _estimated(benchmark: StepBenchmark, sizes: Sequence[int], free: int) -> Room | None:
    benchmark.step(1)  # from here on the optimizer remembers
    single = benchmark.footprint(1)
    fixed, each = 0, single
    if 5 * single <= free:  # with one picture other tensors make the peak than with many
        two, four = benchmark.footprint(2), benchmark.footprint(4)
        each = max(1, (four - two) // 2)
        fixed = max(0, two - 2 * each)
    keeps = benchmark.config.keep_memory and keeps_memory(benchmark.device)
    most = (KEPT_SHARE if keeps else SHARE) * free
    size = max((batch for batch in sizes if fixed + batch * each <= most), default=None)
    if size is None:
        return None
    return Room(
        method="estimated",
        free_bytes=free,
        batch_size=size,
        bytes_fixed=fixed,
        bytes_per_picture=each,
    )
