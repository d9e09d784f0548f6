"""Further cases of a run's benchmark, and the files of its export, each timed in turns."""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from experiments.benchmarking import cases
from experiments.benchmarking.case_metrics import metrics_of_case, told
from experiments.benchmarking.subjects import TimedSubject, computed_by, of_file
from featherface.engines.opening import engine_of
from featherface.engines.table import TORCH
from featherface.errors import ThesisError, UnavailableError
from featherface.progress import silent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.benchmarking.cases import Measured
    from experiments.metrics import Metric
    from featherface.networks.detector import Detector
    from featherface.profiling.config import BenchmarkConfig
    from featherface.progress import OnProgress


@dataclass
class CaseResults:
    """What further cases gave."""

    metrics: list[Metric] = field(default_factory=list)
    details: list[Mapping[str, Any]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    """What could not be timed -> why."""

    def add(self, measured: Measured, by: str, run: str) -> None:
        """Take in one network of one case."""
        metrics = metrics_of_case(measured, by, run)
        self.metrics += metrics
        self.details.append(told(measured, by, metrics))

    @property
    def disturbed(self) -> bool:
        """Whether any of them was taken while the machine was not left alone."""
        return any(metric.marks for metric in self.metrics)


def time_engines(
    model: Detector,
    variant: str,
    config: BenchmarkConfig,
    run: str,
    on_progress: OnProgress = silent,
) -> CaseResults:
    """Time MODEL in every further case of CONFIG, computed by each of its engines in turns.

    Raises:
        UnavailableError: an engine is missing, or computes something else.
    """
    results = CaseResults()
    own = TimedSubject(name=variant, network=model)
    threads = config.threads or torch.get_num_threads()
    place = tempfile.TemporaryDirectory(prefix="thesis-", ignore_cleanup_errors=True)
    with place as folder:
        subjects = [
            computed_by(own, engine, variant, Path(folder, engine), threads)
            for engine in config.engines or (TORCH,)
        ]
        for measured in cases.measure(subjects, config, config.cases, on_progress):
            for each in measured:
                results.add(each, each.subject.engine_name, run)
    return results


def time_files(
    model: Detector,
    files: Mapping[str, Path],
    config: BenchmarkConfig,
    run: str,
    on_progress: OnProgress = silent,
) -> CaseResults:
    """Time each of FILES, by format, that an engine runs here, in turns with MODEL in PyTorch.

    One pair at a time: many networks in turns would push each other out of the caches. Those that
    take one size alone are timed at it. A file that can't be opened or run is told, and the
    others are timed.
    """
    results = CaseResults()
    own = TimedSubject(name=TORCH, network=model)
    threads = config.threads or torch.get_num_threads()
    for form, path in files.items():
        try:
            pair = [own, dataclasses.replace(_opened(path, threads), name=form)]
            for side, batch in _cases(pair[1], config):
                (measured,) = cases.measure(pair, _alone(config), [(side, batch)], on_progress)
                results.add(measured[1], form, run)
                _keep_own(results, measured[0], run)
        except ThesisError as error:
            results.missing[form] = error.message
        except Exception as error:  # noqa: BLE001 - engines fail in ways of their own
            results.missing[form] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return results


def _opened(path: Path, threads: int) -> TimedSubject:
    if engine_of(path) is None:
        raise UnavailableError("what runs such files here is asked for answers, not for times")
    return of_file(path, threads)


def _alone(config: BenchmarkConfig) -> BenchmarkConfig:
    """Return CONFIG for passes of the networks alone."""
    return dataclasses.replace(config, end_to_end=False)


def _cases(subject: TimedSubject, config: BenchmarkConfig) -> Sequence[tuple[int, int]]:
    """Return the side and batch of each case of SUBJECT: CONFIG's main one, or its only size."""
    fixed = subject.engine.fixed_size if subject.engine else None
    if fixed is None:
        return [(config.image_size, config.batch_size)]
    height, width = fixed
    if height != width:
        raise UnavailableError(f"it takes {width}×{height} alone, and squares are timed")
    return [(height, 1)]


def _keep_own(results: CaseResults, measured: Measured, run: str) -> None:
    """Keep PyTorch's own time once per case: that of the first pair."""
    metrics = metrics_of_case(measured, TORCH, run)
    known = {metric.name for metric in results.metrics}
    if not any(metric.name in known for metric in metrics):
        results.metrics += metrics
        results.details.append(told(measured, TORCH, metrics))
