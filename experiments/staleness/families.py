"""What decides which numbers: the recipe keys and inputs behind each family of metrics.

A change elsewhere is none: another learning rate leaves the parameter count as it is. Which code
decides them is nobody's list: probes tell (see `featherface.probes.table`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featherface.training.config.train import AUTO, MEASURED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.records.run import Run

IDLE_KEYS = (
    "train.device",
    "train.workers",
    "train.cache",
    "train.keep_memory",
    "train.log_every",
    "distill.cache_gb",
    "evaluate.batch_size",
)
"""Recipe keys that change speed or logging, not the result."""
LIMITED = {
    "model.prior_probability": ("training",),
    "model.norm_momentum": ("training",),
    "model.dropblock": ("training",),
    "model.dropblock_size": ("training",),
    "model.pixel_mean": ("training", "accuracy"),
    "model.channel_order": ("training", "accuracy"),
    "model.pixel_scale": ("training", "accuracy"),
    "model.variances": ("network", "training", "accuracy"),
    "model.prior_steps": ("network", "training", "accuracy"),
}
"""Recipe key of a network -> the only families that it decides."""
PRIORS = ("model.prior_sizes", "model.prior_ratios")
"""Keys that decide speed and export by how many priors they make, not by which."""
WEIGHTS_KEYS = ("model.weights", "model.backbone_weights")


@dataclass(frozen=True, kw_only=True)
class FamilyDependencies:
    """What the numbers of one family depend on."""

    stage: str
    """The stage to run again where one of them changed."""
    keys: tuple[str, ...]
    """Recipe keys and sections."""
    split: str = ""
    """Recipe key of the split that is read."""
    roles: tuple[str, ...] = ()
    """Roles of the parents that decide the numbers."""


DATA_KEYS = ("data.root", "data.synthetic")
DEPENDENCIES: dict[str, FamilyDependencies] = {
    "training": FamilyDependencies(
        stage="train",
        keys=(
            *("seed", "model", "train", "distill", *DATA_KEYS),
            *("data.train_split", "data.train_limit", "data.labels"),
        ),
        split="train_split",
        roles=("teacher", "weights", "backbone"),
    ),
    "accuracy": FamilyDependencies(
        stage="evaluate",
        keys=(
            *("model", "evaluate", *DATA_KEYS),
            *("data.val_split", "data.val_limit", "data.ground_truth"),
        ),
        split="val_split",
        roles=("weights", "predictions"),
    ),
    "network": FamilyDependencies(stage="benchmark", keys=("model",)),
    "speed": FamilyDependencies(stage="benchmark", keys=("model", "benchmark")),
    "export": FamilyDependencies(stage="export", keys=("model", "export"), roles=("weights",)),
}
FAMILIES = {
    "widerface.": "accuracy",
    "params.": "network",
    "macs.": "network",
    "size.": "network",
    "latency.": "speed",
    "throughput.": "speed",
    "energy.": "speed",
    "memory.": "speed",
    "export.": "export",
    "train.": "training",
}
"""Prefix of a metric's name -> its family."""
LOSS = ".ap_loss."
"""In the names of metrics of exported files that follow from the pictures and faces too."""
UNWEIGHTED = ("network", "speed")
"""Families that are the same whatever the weights hold."""


def family(metric: str) -> str:
    """Return the family of METRIC; a plugin's own metric is taken for one of accuracy."""
    matching = (name for prefix, name in FAMILIES.items() if metric.startswith(prefix))
    return next(matching, "accuracy")


def families(run: Run, metric: str) -> tuple[str, ...]:
    """Return every family that METRIC of RUN follows from: its own, and those before it.

    That is the training, and of the AP that an exported file loses how it is measured.
    """
    own = family(metric)
    if own in UNWEIGHTED or own == "training":
        return (own,)
    judged = ("accuracy",) if own == "export" and LOSS in metric else ()
    return (*(("training",) if trained(run) else ()), *judged, own)


def trained(run: Run) -> bool:
    """Whether RUN trained its weights itself."""
    stage = run.record.stages.get("train")
    return stage is not None and stage.status == "done"


def left_to_machine(key: str, value: object) -> bool:
    """Whether VALUE of recipe KEY leaves the choice to the machine that trains."""
    return value == AUTO and key in {f"train.{name}" for name in MEASURED}


def key_counts_for(name: str, key: str, recipe: Mapping[str, Any]) -> bool:
    """Whether recipe KEY decides the numbers of family NAME, under the flat RECIPE."""
    if key in IDLE_KEYS or (name in UNWEIGHTED and key in WEIGHTS_KEYS):
        return False
    if name not in LIMITED.get(key, (name,)):
        return False
    if key.startswith("data.synthetic.") and recipe.get("data.root") != "synthetic":
        return False
    return any(key == known or key.startswith(f"{known}.") for known in DEPENDENCIES[name].keys)


def equivalent(name: str, key: str, before: object, after: object) -> bool:
    """Whether two values of recipe KEY come to the same for the numbers of family NAME.

    >>> equivalent("speed", "model.prior_ratios", [1.0], [1.5])
    True
    """
    return name in ("speed", "export") and key in PRIORS and _shape(before) == _shape(after)


def _shape(value: object) -> object:
    return [_shape(member) for member in value] if isinstance(value, list | tuple) else None
