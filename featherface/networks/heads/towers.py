"""Shared heads: a stem, a tower per task and the predictions, their weights common to all levels.

Only the normalisations are a level's own, as in EfficientDet's heads (Tan, Pang and Le, 2020),
https://arxiv.org/abs/1911.09070: the statistics of the levels differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from featherface.networks.backbones.nano import blueprint
from featherface.networks.heads.linear import LEVELS, TASKS, gather

if TYPE_CHECKING:
    from collections.abc import Callable

    Layers = Callable[[int], nn.Module]


class LevelNormed(nn.Module):
    """LAYERS for all levels, then each level's normalisation and a LeakyReLU."""

    def __init__(self, layers: nn.Module, channels: int, leak: float) -> None:
        super().__init__()
        self.layers = layers
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(LEVELS))
        self.leak = leak

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Map three (B,C,H,W) to three of the same sizes."""
        return [
            nn.functional.leaky_relu(norm(self.layers(feature_map)), self.leak)
            for norm, feature_map in zip(self.norms, maps, strict=True)
        ]


class TowerHead(nn.Module):
    """STEM for all tasks, TOWER for each, then one 1x1 convolution for each."""

    def __init__(
        self, stem: Layers, tower: Layers, channels: int, anchors: int, leak: float
    ) -> None:
        super().__init__()
        self.stem = LevelNormed(stem(channels), channels, leak)
        self.towers = nn.ModuleDict(
            {task: LevelNormed(tower(channels), channels, leak) for task in TASKS}
        )
        self.tasks = nn.ModuleDict(
            {task: nn.Conv2d(channels, anchors * numbers, 1) for task, numbers in TASKS.items()}
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return boxes (B,N,4), logits (B,N,2), landmarks (B,N,10)."""
        common = self.stem(maps)
        return [
            gather([layer(feature_map) for feature_map in self.towers[task](common)], TASKS[task])
            for task, layer in self.tasks.items()
        ]


def normed(channels: int, anchors: int, leak: float) -> TowerHead:
    """Return V2 Ultra's head: a dense 3x3 stem and depthwise towers."""
    return TowerHead(dense, depthwise, channels, anchors, leak)


def shared_detection(channels: int, anchors: int, leak: float) -> TowerHead:
    """Return SharedDetectionHead, V2 ViT's: classification and regression share two dense 3x3.

    After RetinaNet's shared subnets (Lin et al., 2017), https://arxiv.org/abs/1708.02002. Differs
    from them: the subnets are one up to the last, separable layer, and normalised.
    """

    def stem(channels: int) -> nn.Module:
        first = nn.Conv2d(channels, channels, 3, padding=1)
        return nn.Sequential(first, nn.LeakyReLU(leak), dense(channels))

    return TowerHead(stem, separable, channels, anchors, leak)


def decoupled(channels: int, anchors: int, leak: float) -> TowerHead:
    """Return V3 Nano's head: one of YuNet's units as stem, and one for each task."""

    def make(channels: int) -> nn.Module:
        return blueprint(channels, channels)

    return TowerHead(make, make, channels, anchors, leak)


def dense(channels: int) -> nn.Module:
    """Return a 3x3 convolution of all channels."""
    return nn.Conv2d(channels, channels, 3, padding=1, bias=False)


def depthwise(channels: int) -> nn.Module:
    """Return a 3x3 convolution of each channel."""
    return nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)


def separable(channels: int) -> nn.Module:
    """Return `depthwise`, then a 1x1 convolution."""
    return nn.Sequential(depthwise(channels), nn.Conv2d(channels, channels, 1, bias=False))
