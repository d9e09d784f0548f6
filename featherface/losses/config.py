"""Loss settings: parts, weights, assignment. Lean: imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass

from featherface.checks import require, require_choice

CHOICES: dict[str, tuple[str, ...]] = {
    "assignment": ("overlap", "atss", "simota"),
    "face": ("cross-entropy", "focal", "quality-focal"),
    "box": ("smooth-l1", "diou", "ciou", "eiou"),
    "landmark": ("smooth-l1", "wing"),
}
"""Legal names by key; the tables of `featherface.losses` hold the same (a test keeps it so)."""


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
