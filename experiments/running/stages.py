"""Table of the stages of a run, and the stage that exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.conditions import Conditions
from experiments.metrics import Metric
from experiments.records import writer
from experiments.running.benchmark_stage import benchmark
from experiments.running.evaluation_stage import evaluate
from experiments.running.stage_context import StageContext, StageResult, load_network
from experiments.running.training_stage import train
from featherface.export.writing import export as write_exports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featherface.export.writing import Artifact


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
            Metric(
                name=f"export.{artifact.format}.parity",
                value=float(artifact.parity),
                source=context.run,
                conditions=conditions,
            )
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
