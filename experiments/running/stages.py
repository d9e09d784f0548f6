"""Table of the stages of a run, and the stage that exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.benchmarking.further_cases import time_files
from experiments.conditions import Conditions
from experiments.metrics import Metric
from experiments.records import writer
from experiments.running.benchmark_stage import CASES, benchmark
from experiments.running.evaluation_stage import evaluate
from experiments.running.stage_context import StageContext, StageResult, load_network
from experiments.running.training_stage import train
from featherface.export.formats import WriterSettings
from featherface.export.writing import export as write_exports

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from featherface.export.writing import Artifact
    from featherface.networks.detector import Detector


def export(context: StageContext) -> StageResult:
    """Export the network to the recipe's formats, each file compared with PyTorch's outputs."""
    result = StageResult()
    recipe = context.recipe
    model = load_network(context, result)
    artifacts = write_exports(
        model,
        recipe.export,
        context.folder / "exports",
        recipe.name,
        recipe.model.variant,
        WriterSettings(run=context.run),
        context.on_progress,
    )
    for artifact in artifacts:
        if artifact.parity is None:
            continue
        conditions = Conditions(sizes=tuple((width, height) for height, width in artifact.sizes))
        result.metrics.append(
            Metric(
                name=f"export.{artifact.format}.parity",
                value=artifact.parity,
                source=context.run,
                conditions=conditions,
            )
        )
    result.details = {"artifacts": [_describe(artifact, context.folder) for artifact in artifacts]}
    if recipe.benchmark.exports:
        _time_files(context, result, model, artifacts)
    writer.write_json(
        context.folder / "exports" / "manifest.json",
        {"run": context.run, "artifacts": result.details["artifacts"]},
    )
    return result


def _time_files(
    context: StageContext, result: StageResult, model: Detector, artifacts: Sequence[Artifact]
) -> None:
    """Add the times of the exported files that run here to RESULT, and what could not be timed."""
    files = {artifact.format: artifact.path for artifact in artifacts}
    timed = time_files(model, files, context.recipe.benchmark, context.run, context.on_progress)
    result.metrics += timed.metrics
    result.details |= {CASES: timed.details, "not_timed": timed.missing}
    result.warnings += [f"{name} was not timed: {why}" for name, why in timed.missing.items()]


TABLE: dict[str, Callable[[StageContext], StageResult]] = {
    "train": train,
    "evaluate": evaluate,
    "benchmark": benchmark,
    "export": export,
}
"""Stage name -> its function, in the order of `experiments.names.STAGES` (kept so by a test)."""


def _describe(artifact: Artifact, folder: Path) -> dict[str, Any]:
    """Return the entry of an exported file in the manifest."""
    return {
        "path": artifact.path.relative_to(folder).as_posix(),
        "format": artifact.format,
        "sha256": artifact.sha256,
        "megabytes": artifact.megabytes,
        "parity": artifact.parity,
        "landmarks_parity": artifact.landmarks_parity,
        **artifact.details,
    }
