"""Metrics of what was measured: statistics of the main case, and those of further ones."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch

from experiments.benchmarking.subjects import DETECTION
from experiments.metrics import KINDS, Metric, case_name, kind
from experiments.records.provenance import conditions_on
from featherface.profiling.pass_statistics import passes_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from experiments.benchmarking.cases import Measured
    from experiments.conditions import Conditions
    from featherface.profiling.config import BenchmarkConfig
    from featherface.profiling.timing import Latency

PERCENTILES = {"p95_ms": 0.95, "p99_ms": 0.99}
"""Statistic -> its share. With fewer passes than `passes_for` it is the longest pass of all, and
no metric: what is left in the record's details tells every pass."""


def timed_on(latency: Latency) -> str:
    """Return the part of the hardware that a metric of LATENCY is named after."""
    return "cpu" if latency.device == "cpu" else "gpu"


def conditions_of(latency: Latency, config: BenchmarkConfig) -> Conditions:
    """Return on what and how LATENCY was taken."""
    side = config.image_size
    return dataclasses.replace(
        conditions_on(torch.device(latency.device), latency.precision),
        sizes=((side, side),),
        batch=config.batch_size,
        threads=latency.threads if latency.device == "cpu" else 0,
        engine=latency.engine,
    )


def statistics_of(latency: Latency, batch: int) -> dict[str, float]:
    """Return what is worth a metric beyond median and p90, by the end of its name."""
    statistics = latency.statistics
    values: dict[str, float | None] = {"mean_ms": statistics.mean, "std_ms": statistics.std}
    told = {"p95_ms": statistics.p95, "p99_ms": statistics.p99}
    values |= {
        name: value
        for name, value in told.items()
        if statistics.passes >= passes_for(PERCENTILES[name])
    }
    values["pictures_per_s"] = statistics.per_second(batch)
    return {name: value for name, value in values.items() if value is not None}


def further_statistics(
    latency: Latency, config: BenchmarkConfig, conditions: Conditions, run: str
) -> list[Metric]:
    """Return the metrics of the main case beyond its median and p90."""
    part = timed_on(latency)
    names = {"pictures_per_s": f"throughput.{part}.pictures_per_s"}
    return [
        Metric(
            name=names.get(what, f"latency.{part}.{what}"),
            value=value,
            unit=KINDS[names.get(what, f"latency.{part}.{what}")].unit,
            n=len(latency.runs),
            source=run,
            marks=latency.marks,
            conditions=conditions,
        )
        for what, value in statistics_of(latency, config.batch_size).items()
    ]


def metrics_of_case(measured: Measured, by: str, run: str) -> list[Metric]:
    """Return the metrics of one network in a further case, computed BY an engine or format."""
    latency, config = measured.latency, measured.config
    part, conditions = timed_on(latency), conditions_of(latency, config)
    whole = measured.work == DETECTION
    metrics = []
    for start, what, value, marks, n in _values(measured):
        name = case_name(start, part, by, config.image_size, config.batch_size, what, whole=whole)
        metrics.append(
            Metric(
                name=name,
                value=value,
                unit=kind(name).unit,
                n=n,
                source=run,
                marks=marks,
                conditions=conditions,
            )
        )
    return metrics


def _values(
    measured: Measured,
) -> Iterator[tuple[str, str, float, tuple[str, ...], int]]:
    """Yield start and end of each name, value, marks, and the passes behind it."""
    latency = measured.latency
    marks, passes = latency.marks, len(latency.runs)
    yield "latency", "median_ms", latency.median, marks, passes
    yield "latency", "p90_ms", latency.p90, marks, passes
    for what, value in statistics_of(latency, measured.config.batch_size).items():
        start = "throughput" if what == "pictures_per_s" else "latency"
        yield start, what, value, marks, passes
    if measured.ratio is not None:
        yield "latency", "ratio", measured.ratio.value, marks, passes
    if measured.memory is not None:
        yield "memory", "peak_mb", measured.memory.max, (), measured.memory.passes
        yield "memory", "mean_mb", measured.memory.mean, (), measured.memory.passes
    if measured.energy is not None:
        used = measured.energy
        per_picture = used.joules / used.pictures
        yield "energy", "joules_per_picture", per_picture, used.marks, used.passes


def told(measured: Measured, by: str, metrics: list[Metric]) -> Mapping[str, Any]:
    """Return what a record keeps of one network in a further case beside its METRICS."""
    return {
        "by": by,
        "image_size": measured.config.image_size,
        "batch_size": measured.config.batch_size,
        "work": measured.work,
        "metrics": [metric.name for metric in metrics],
        **measured.to_json(),
        "circumstances": measured.latency.circumstances.to_json(),
    }
