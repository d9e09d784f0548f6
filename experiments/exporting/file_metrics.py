"""What a run measures of a file that it exported: how far it is from the network, what it loses."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from experiments.conditions import Conditions
from experiments.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.accuracy import Circumstances
    from featherface.evaluation.config import EvaluateConfig
    from featherface.export.writing import Artifact


def parity_metrics(artifact: Artifact, run: str) -> list[Metric]:
    """Return the metric of the largest difference that RUN saw of ARTIFACT.

    There is none where nothing runs it here.
    """
    if artifact.parity is None:
        return []
    conditions = Conditions(sizes=tuple((width, height) for height, width in artifact.sizes))
    name = f"export.{artifact.format}.parity"
    return [Metric(name=name, value=artifact.parity, source=run, conditions=conditions)]


def loss_metrics(
    entry: Mapping[str, Any], about: Circumstances, evaluate: EvaluateConfig
) -> list[Metric]:
    """Return the metrics of what the file of a manifest's ENTRY loses in AP."""
    if "validation" not in entry:
        return []
    judged = entry["validation"]
    followed = dataclasses.replace(evaluate, protocol=judged["pictures"])
    conditions = dataclasses.replace(
        Conditions.of_evaluation(followed), device="cpu", engine=entry.get("engine", "")
    )
    return [
        Metric(
            name=f"export.{entry['format']}.ap_loss.{name}",
            value=float(lost["loss"]),
            unit="fraction",
            dataset=about.dataset,
            split=about.split,
            n=judged["images"],
            complete=about.complete,
            fingerprint=about.fingerprint,
            source=about.run,
            conditions=conditions,
        )
        for name, lost in judged["subsets"].items()
    ]
