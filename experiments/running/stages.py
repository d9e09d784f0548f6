"""The table of stages, and those that benchmark and export."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch

from experiments.conditions import Conditions
from experiments.metrics import KINDS, Metric
from experiments.records import writer
from experiments.records.provenance import conditions_on
from experiments.running.evaluation_stage import evaluate
from experiments.running.stage_context import Findings, Work, trained
from experiments.running.training_stage import train
from featherface.export.writing import export as write_exports
from featherface.profiling import counting, memory, timing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featherface.export.writing import Artifact


def benchmark(work: Work) -> Findings:
    """Count parameters and operations, time the network, weigh it."""
    found = Findings()
    model = trained(work, found)
    config = work.recipe.benchmark
    timed = timing.latency(model, config, work.on_progress)
    conditions = dataclasses.replace(
        conditions_on(torch.device(timed.device), timed.precision),
        sizes=((config.image_size, config.image_size),),
        batch=config.batch_size,
    )
    place = "cpu" if timed.device == "cpu" else "gpu"
    total, counted = counting.parameters(model), counting.paper_counted(model)
    values: dict[str, float | None] = {
        "params.total": total,
        "params.paper_counted": counted if counted != total else None,
        "macs.640": counting.macs(model, 640),
        "size.fp32_mb": counting.weights_megabytes(model),
    }
    found.metrics = [_metric(work, name, one) for name, one in values.items() if one is not None]
    threads = dataclasses.replace(conditions, threads=timed.threads if place == "cpu" else 0)
    speed = {"median_ms": timed.median, "p90_ms": timed.p90}
    found.metrics += [
        _metric(work, f"latency.{place}.{name}", value, threads, config.runs)
        for name, value in speed.items()
    ]
    peak = memory.peak_memory(model, config)
    found.metrics.append(_metric(work, "memory.peak_mb", peak, conditions))
    found.details = {
        "components": model.components(),
        "device": timed.device,
        "precision": timed.precision,
        "threads": timed.threads,
        "runs_ms": list(timed.runs),
    }
    return found


def export(work: Work) -> Findings:
    """Write the network for other programs, each file compared with PyTorch's answer."""
    found = Findings()
    recipe = work.recipe
    artifacts = write_exports(
        trained(work, found),
        recipe.export,
        work.folder / "exports",
        recipe.name,
        recipe.model.variant,
        work.on_progress,
    )
    for one in artifacts:
        at = Conditions(sizes=tuple((width, height) for height, width in one.sizes))
        found.metrics.append(_metric(work, f"export.{one.format}.parity", one.parity, at))
    found.details = {"artifacts": [_describe(one, work.folder) for one in artifacts]}
    writer.write_json(
        work.folder / "exports" / "manifest.json",
        {"run": work.run, "artifacts": found.details["artifacts"]},
    )
    return found


TABLE: dict[str, Callable[[Work], Findings]] = {
    "train": train,
    "evaluate": evaluate,
    "benchmark": benchmark,
    "export": export,
}
"""Stage name -> what it does, in the order of `records.STAGES` (a test keeps the two equal)."""


def _metric(
    work: Work, name: str, value: float, conditions: Conditions | None = None, n: int = 0
) -> Metric:
    return Metric(
        name=name,
        value=float(value),
        unit=KINDS[name].unit if name in KINDS else "",
        n=n,
        source=work.run,
        conditions=conditions or Conditions(),
    )


def _describe(artifact: Artifact, folder: Path) -> dict[str, Any]:
    """Return what the manifest says of an exported file."""
    return {
        "path": artifact.path.relative_to(folder).as_posix(),
        "format": artifact.format,
        "sha256": artifact.sha256,
        "megabytes": artifact.megabytes,
        "parity": artifact.parity,
        "landmarks_parity": artifact.landmarks_parity,
    }
