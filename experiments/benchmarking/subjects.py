"""What is measured: a network and what computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.benchmarking.conversion import convert
from featherface.devices.select import choose
from featherface.engines.opening import open_file
from featherface.engines.table import TORCH
from featherface.inference.end_to_end import detection
from featherface.networks import detector
from featherface.profiling import memory, resident_memory, timing

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from featherface.engines.engine import Engine
    from featherface.networks.detector import Detector
    from featherface.profiling.config import BenchmarkConfig
    from featherface.profiling.memory import PeakMemory
    from featherface.profiling.timing import Workload

FORWARD, DETECTION = "forward", "detection"
"""Pieces of work: the network alone, or all from a picture in memory to boxes."""


@dataclass(frozen=True, kw_only=True)
class TimedSubject:
    """A network, and the engine that computes it."""

    name: str
    """As it was named: a variant, a file, a run, or a format."""
    network: Detector
    """For counts; with PyTorch it is what computes."""
    engine: Engine | None = None
    """What computes it instead of PyTorch."""
    file: Path | None = None
    """Where it lies on the disk."""
    trained: bool = True
    """Whether it has weights: without, its boxes are noise."""

    @property
    def engine_name(self) -> str:
        """Key of `featherface.engines.table.ENGINES`."""
        return self.engine.name if self.engine else TORCH

    @property
    def file_megabytes(self) -> float | None:
        """10^6 bytes of its file; None where there is none."""
        return self.file.stat().st_size / 1e6 if self.file and self.file.is_file() else None

    def takes(self, side: int) -> bool:
        """Whether it takes square pictures of SIDE pixels."""
        fixed = self.engine.fixed_size if self.engine else None
        return fixed is None or fixed == (side, side)

    def workload(self, work: str, config: BenchmarkConfig) -> Workload:
        """Return its part of WORK, `forward` or `detection`, over CONFIG's pictures."""
        if work == DETECTION:
            return detection(self.engine or self.network, self._device(config), config)
        if self.engine is not None:
            return timing.forward_of_engine(self.engine, config)
        return timing.forward(self.network, self._device(config), config)

    def memory(self, config: BenchmarkConfig) -> PeakMemory:
        """Return the memory of its forward passes.

        Raises:
            UnavailableError: its file can't be run in a process of its own.
        """
        if self.engine is not None and self.file is not None:
            return resident_memory.resident_memory(self.file, config)
        return memory.pass_memory(self.network, config)

    def _device(self, config: BenchmarkConfig) -> torch.device:
        return self.engine.device if self.engine else choose(config.device)


def of_file(path: Path, threads: int) -> TimedSubject:
    """Return the network in the file at PATH, which an engine runs with THREADS.

    Raises:
        NotFoundError: there is no such file.
        WeightsError: it is damaged, or doesn't say which network it is.
    """
    engine = open_file(path, threads)
    network = detector.build(engine.config, seed=0)
    return TimedSubject(name=str(path), network=network, engine=engine, file=path)


def computed_by(
    subject: TimedSubject, engine: str, variant: str, folder: Path, threads: int
) -> TimedSubject:
    """Return SUBJECT, a network of PyTorch's, as ENGINE computes it from a file in FOLDER.

    Raises:
        UsageError: nothing writes files for ENGINE.
        UnavailableError: a tool is missing, or the file computes something else.
    """
    if engine == TORCH:
        return subject
    folder.mkdir(parents=True, exist_ok=True)
    converted = convert(subject.network, variant, engine, folder, threads)
    return TimedSubject(
        name=subject.name,
        network=subject.network,
        engine=converted.engine,
        file=converted.file,
        trained=subject.trained,
    )
