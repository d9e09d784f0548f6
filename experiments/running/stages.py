"""Table of the stages of a run, and the stages that benchmark and export."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch

from experiments.conditions import Conditions
from experiments.metrics import KINDS, Metric
from experiments.records import writer
from experiments.records.provenance import conditions_on
from experiments.running.evaluation_stage import evaluate
from experiments.running.stage_context import StageContext, StageResult, load_network
from experiments.running.training_stage import train
from featherface.export.writing import export as write_exports
from featherface.profiling import counting, memory, timing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featherface.export.writing import Artifact


def benchmark(context: StageContext) -> StageResult:
    """Measure parameters, MACs, size, latency and peak memory of the network."""
    result = StageResult()
    model = load_network(context, result)
    config = context.recipe.benchmark
    latency = timing.latency(model, config, context.on_progress)
    conditions = dataclasses.replace(
        conditions_on(torch.device(latency.device), latency.precision),
        sizes=((config.image_size, config.image_size),),
        batch=config.batch_size,
    )
    hardware = "cpu" if latency.device == "cpu" else "gpu"
    parameters, counted = counting.parameters(model), counting.paper_counted(model)
    values: dict[str, float | None] = {
        "params.total": parameters,
        "params.paper_counted": counted if counted != parameters else None,
        "macs.640": counting.macs(model, 640),
        "size.fp32_mb": counting.weights_megabytes(model),
    }
    result.metrics = [
        _metric(context, name, value) for name, value in values.items() if value is not None
    ]
    latency_conditions = dataclasses.replace(
        conditions, threads=latency.threads if hardware == "cpu" else 0
    )
    milliseconds = {"median_ms": latency.median, "p90_ms": latency.p90}
    result.metrics += [
        _metric(context, f"latency.{hardware}.{name}", value, latency_conditions, config.runs)
        for name, value in milliseconds.items()
    ]
    peak_megabytes = memory.peak_memory(model, config)
    result.metrics.append(_metric(context, "memory.peak_mb", peak_megabytes, conditions))
    result.details = {
        "components": model.components(),
        "device": latency.device,
        "precision": latency.precision,
        "threads": latency.threads,
        "runs_ms": list(latency.runs),
    }
    return result


def export(context: StageContext) -> StageResult:
    """Export the network to the recipe's formats, each file compared with PyTorch's outputs."""
    result = StageResult()
    recipe = context.recipe
    artifacts = write_exports(
        load_network(context, result),
        recipe.export,
        context.folder / "exports",
        recipe.name,
        recipe.model.variant,
        context.on_progress,
    )
    for artifact in artifacts:
        conditions = Conditions(sizes=tuple((width, height) for height, width in artifact.sizes))
        result.metrics.append(
            _metric(context, f"export.{artifact.format}.parity", artifact.parity, conditions)
        )
    result.details = {"artifacts": [_describe(artifact, context.folder) for artifact in artifacts]}
    writer.write_json(
        context.folder / "exports" / "manifest.json",
        {"run": context.run, "artifacts": result.details["artifacts"]},
    )
    return result


TABLE: dict[str, Callable[[StageContext], StageResult]] = {
    "train": train,
    "evaluate": evaluate,
    "benchmark": benchmark,
    "export": export,
}
"""Stage name -> its function, in the order of `experiments.names.STAGES` (kept so by a test)."""


def _metric(
    context: StageContext, name: str, value: float, conditions: Conditions | None = None, n: int = 0
) -> Metric:
    return Metric(
        name=name,
        value=float(value),
        unit=KINDS[name].unit if name in KINDS else "",
        n=n,
        source=context.run,
        conditions=conditions or Conditions(),
    )


def _describe(artifact: Artifact, folder: Path) -> dict[str, Any]:
    """Return the entry of an exported file in the manifest."""
    return {
        "path": artifact.path.relative_to(folder).as_posix(),
        "format": artifact.format,
        "sha256": artifact.sha256,
        "megabytes": artifact.megabytes,
        "parity": artifact.parity,
        "landmarks_parity": artifact.landmarks_parity,
    }
