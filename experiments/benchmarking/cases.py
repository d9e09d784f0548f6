"""Cases of a benchmark: each size and batch of pictures, all subjects timed in turns."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from experiments.benchmarking.subjects import DETECTION, FORWARD
from experiments.records.provenance import hardware_name
from featherface.errors import UnavailableError
from featherface.inference.end_to_end import boxes_written
from featherface.profiling import counting, energy, timing
from featherface.profiling.paired_ratio import paired_ratio
from featherface.progress import silent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from experiments.benchmarking.subjects import TimedSubject
    from featherface.profiling.config import BenchmarkConfig
    from featherface.profiling.energy import Energy
    from featherface.profiling.memory import PeakMemory
    from featherface.profiling.paired_ratio import PairedRatio
    from featherface.profiling.timing import Latency, Workload
    from featherface.progress import OnProgress


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One subject in one case."""

    subject: TimedSubject
    config: BenchmarkConfig
    """Size, batch and all else of the case."""
    work: str
    """`forward` or `detection`."""
    latency: Latency
    ratio: PairedRatio | None
    """Of its time to the first subject's; None for the first one."""
    memory: PeakMemory | None
    """Of the forward passes; None of whole detections, and where it can't be measured."""
    memory_missing: str
    """Why it can't; empty where it is."""
    energy: Energy | None
    """None where the machine doesn't tell."""
    boxes: int | None
    """Boxes that a whole detection wrote in all its pictures."""

    @property
    def pictures_per_second(self) -> float | None:
        """By the mean of the passes; None where the clock saw no time pass."""
        return self.latency.statistics.per_second(self.config.batch_size)

    def to_json(self) -> dict[str, Any]:
        """Return plain values: what was measured, and its conditions."""
        network, statistics = self.subject.network, self.latency.statistics
        of_passes = {
            f"{name}_ms": value for name, value in statistics.to_json().items() if name != "passes"
        }
        return {
            "name": self.subject.name,
            "engine": self.latency.engine,
            "device": self.latency.device,
            "hardware": hardware_name(torch.device(self.latency.device)),
            "precision": self.latency.precision,
            "threads": self.latency.threads,
            "clock": self.latency.clock,
            "parameters": counting.parameters(network),
            "macs": counting.macs(network, self.config.image_size),
            "size_fp32_mb": counting.weights_megabytes(network),
            "file_mb": self.subject.file_megabytes,
            **of_passes,
            "pictures_per_second": self.pictures_per_second,
            "runs_ms": list(self.latency.runs),
            "memory": dataclasses.asdict(self.memory) if self.memory else None,
            "energy": self.energy.to_json() if self.energy else None,
            "boxes": self.boxes,
            "ratio": self.ratio.to_json() if self.ratio else None,
            "marks": list(self.latency.marks),
        }


def measure(
    subjects: Sequence[TimedSubject],
    config: BenchmarkConfig,
    cases: Iterable[tuple[int, int]],
    on_progress: OnProgress = silent,
) -> Iterator[tuple[Measured, ...]]:
    """Measure SUBJECTS at each side and batch of CASES; whole detections too, if CONFIG says so.

    Those that don't take pictures of that size are left out of a case.
    """
    for side, batch in cases:
        taking = [subject for subject in subjects if subject.takes(side)]
        of_case = dataclasses.replace(config, image_size=side, batch_size=batch)
        for work in (FORWARD, DETECTION) if config.end_to_end else (FORWARD,):
            if taking:
                yield _measure(taking, of_case, work, on_progress)


def _measure(
    subjects: Sequence[TimedSubject], config: BenchmarkConfig, work: str, on_progress: OnProgress
) -> tuple[Measured, ...]:
    workloads = [subject.workload(work, config) for subject in subjects]
    timed = timing.timed_in_turns(workloads, config, on_progress)
    measured: list[Measured] = []
    for subject, workload, latency in zip(subjects, workloads, timed, strict=True):
        memory, missing = _memory(subject, config) if work == FORWARD else (None, "")
        measured.append(
            Measured(
                subject=subject,
                config=config,
                work=work,
                latency=latency,
                ratio=paired_ratio(latency.runs, timed[0].runs) if measured else None,
                memory=memory,
                memory_missing=missing,
                energy=_energy(workload, config),
                boxes=boxes_written(workload) if work == DETECTION else None,
            )
        )
    return tuple(measured)


def _memory(subject: TimedSubject, config: BenchmarkConfig) -> tuple[PeakMemory | None, str]:
    """Return the memory of SUBJECT, or why it is not known: times that were taken are kept."""
    try:
        return subject.memory(config), ""
    except UnavailableError as error:
        return None, error.message


def _energy(workload: Workload, config: BenchmarkConfig) -> Energy | None:
    """Return what passes of WORKLOAD alone use; None where the machine doesn't tell."""
    meters = energy.meters_of(workload.device)
    if not meters:
        return None
    with contextlib.ExitStack() as settings:
        settings.enter_context(timing.computing_threads(config.threads))
        settings.enter_context(workload.ready())
        settings.enter_context(torch.no_grad())
        return energy.energy(workload, config.batch_size, config.runs, meters)
