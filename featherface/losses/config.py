"""Loss settings: parts, weights, assignment. Lean: imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from featherface.checks import require, require_choice
from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

CHOICES: dict[str, tuple[str, ...]] = {
    "assignment": ("overlap", "atss", "simota"),
    "face": ("cross-entropy", "focal", "quality-focal"),
    "box": ("smooth-l1", "diou", "ciou", "eiou"),
    "landmark": ("smooth-l1", "wing"),
}
"""Legal names by key; the tables of `featherface.losses` hold the same (a test keeps it so)."""


READERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "focal_alpha": ("face", ("focal",)),
    "focal_gamma": ("face", ("focal", "quality-focal")),
    "wing_width": ("landmark", ("wing",)),
    "wing_curvature": ("landmark", ("wing",)),
}
"""Keys that one loss reads: the key that chooses it, and its values."""


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Loss functions, weights and matching; the defaults are the official FeatherFace's."""

    assignment: str = "overlap"
    """Which priors learn a face: by IoU, or as ATSS or SimOTA choose them."""
    face: str = "cross-entropy"
    """Of faces against background: with hard background priors only, or focal over all of them."""
    box: str = "smooth-l1"
    """Of the boxes: on their deltas, or a loss on the decoded boxes' overlap."""
    landmark: str = "smooth-l1"
    """Of the landmarks' deltas."""
    focal_alpha: float = 0.25
    """Weight of face priors in the focal loss, against 1 - alpha of the background; 0 to 1."""
    focal_gamma: float = 2.0
    """How much the focal losses neglect what is certain; 0: not at all."""
    wing_width: float = 10.0
    """Error below which Wing is logarithmic, in percent of the prior's side."""
    wing_curvature: float = 2.0
    """How sharp Wing bends at zero, in percent of the prior's side; smaller is sharper."""
    hard_weight: float = 1.0
    """Weight of a face that the network misses relative to one that it is sure of; 1: alike."""
    small_weight: float = 1.0
    """Weight of a face of 16 pixels or less relative to one of 256 or more; 1: alike."""

    def __post_init__(self) -> None:
        for key, choices in CHOICES.items():
            require_choice(f"train.loss.{key}", getattr(self, key), choices)
        alpha, gamma = self.focal_alpha, self.focal_gamma
        require(0 < alpha < 1, "train.loss.focal_alpha", alpha, "between 0 and 1")
        require(gamma >= 0, "train.loss.focal_gamma", gamma, "0 or more")
        for key in ("wing_width", "wing_curvature", "hard_weight", "small_weight"):
            require(getattr(self, key) > 0, f"train.loss.{key}", getattr(self, key), "above 0")


def check_read(loss: LossConfig) -> None:
    """Refuse a key of LOSS that is set though no chosen loss reads it.

    Raises:
        UsageError: `train.loss.wing_width is 8.0, but train.loss.landmark is smooth-l1`.
    """
    for key, (chooser, names) in READERS.items():
        value, usual = getattr(loss, key), getattr(LossConfig, key)
        if value != usual and getattr(loss, chooser) not in names:
            raise UsageError(
                f"train.loss.{key} is {value}, but train.loss.{chooser} is"
                f" {getattr(loss, chooser)}: nothing reads it",
                f"set train.loss.{key}={usual}, or train.loss.{chooser}={names[0]}",
            )


def without_idle(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the VALUES of a record's losses without those that nothing read."""
    usual = {field.name: field.default for field in fields(LossConfig)}
    chosen = {**usual, **values}
    return {
        key: value
        for key, value in values.items()
        if key not in READERS or chosen[READERS[key][0]] in READERS[key][1]
    }
