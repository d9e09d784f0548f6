"""SmartHead_Fusion: the thesis's head, whose tasks help each other.

Ours, since the thesis names the directions alone: classification helps boxes, boxes help
landmarks, landmarks help classification. The circle is cut by letting every task give what it has
before it was helped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from featherface.networks.heads.cascade import TaskCBAM
from featherface.networks.heads.linear import LEVELS, TASKS, gather
from featherface.networks.heads.refinement import AdaptivePriors, BoxRefinement
from featherface.networks.heads.towers import TowerHead, dense, separable

if TYPE_CHECKING:
    from featherface.variants.config import DetectorConfig

    Maps = dict[str, list[Tensor]]

HELPERS = {"boxes": "classes", "classes": "landmarks", "landmarks": "boxes"}
"""Task -> the task whose features help it."""


class TaskFusion(nn.Module):
    """Add to the features of each task what another one found."""

    def __init__(self, channels: int, leak: float) -> None:
        super().__init__()
        self.leak = leak
        self.tell = nn.ModuleDict({task: nn.Conv2d(channels, channels, 1) for task in HELPERS})

    def forward(self, features: Maps) -> Maps:
        """Return new features (B,C,H,W) of each task and level."""
        return {
            task: [
                functional.leaky_relu(own + self.tell[task](helping), self.leak)
                for own, helping in zip(features[task], features[helper], strict=True)
            ]
            for task, helper in HELPERS.items()
        }


class SmartHead(TowerHead):
    """Dense stem, task attention, separable towers, task fusion, then boxes in two stages.

    All but stem and towers are there where the configuration asks for them.
    """

    def __init__(self, config: DetectorConfig) -> None:
        channels, anchors, leak = config.channels, config.anchors, config.leak
        super().__init__(dense, separable, channels, anchors, leak)
        gates = config.reduction, config.norm_momentum, config.attention_kernel
        cascade = config.attention == "cbam-cascade"
        self.attention = TaskCBAM((channels,) * LEVELS, *gates) if cascade else None
        self.fusion = TaskFusion(channels, leak) if config.task_fusion else None
        self.shapes = AdaptivePriors(anchors, config.variances) if config.adaptive_priors else None
        self.refinement = (
            BoxRefinement(channels, anchors, leak, config.variances)
            if config.box_refinement
            else None
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return boxes (B,N,4), logits (B,N,2), landmarks (B,N,10)."""
        features = self._features(self.stem(maps))
        raw = {
            task: [layer(feature_map) for feature_map in features[task]]
            for task, layer in self.tasks.items()
        }  # (B,A*numbers,H,W)
        if self.shapes is not None:
            adapted = [
                self.shapes(box, points, level)
                for level, (box, points) in enumerate(
                    zip(raw["boxes"], raw["landmarks"], strict=True)
                )
            ]
            raw["boxes"], raw["landmarks"] = map(list, zip(*adapted, strict=True))
        boxes, logits, landmarks = (gather(raw[task], TASKS[task]) for task in TASKS)
        if self.refinement is not None:
            second = self.refinement(features["boxes"], raw["boxes"])
            boxes = self.refinement.compose(boxes, gather(second, TASKS["boxes"]))
        return [boxes, logits, landmarks]

    def _features(self, common: list[Tensor]) -> Maps:
        given = dict.fromkeys(TASKS, common) if self.attention is None else self.attention(common)
        features = {task: self.towers[task](given[task]) for task in TASKS}
        return features if self.fusion is None else self.fusion(features)
