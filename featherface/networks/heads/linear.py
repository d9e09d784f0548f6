"""Prediction heads: features of each level to box deltas, class logits and landmark deltas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence

TASKS = {"boxes": 4, "classes": 2, "landmarks": 10}
"""Numbers per prior of each task, in the order of the output."""
LEVELS = 3


class SeparateHeads(nn.Module):
    """A 1x1 convolution for each task and level."""

    def __init__(self, channels: int, anchors: int) -> None:
        super().__init__()
        self.tasks = nn.ModuleDict(
            {
                task: nn.ModuleList(
                    nn.Conv2d(channels, anchors * numbers, 1) for _ in range(LEVELS)
                )
                for task, numbers in TASKS.items()
            }
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return boxes (B,N,4), logits (B,N,2), landmarks (B,N,10)."""
        return [
            gather(
                [layer(feature_map) for layer, feature_map in zip(layers, maps, strict=True)],
                TASKS[task],
            )
            for task, layers in _tasks(self.tasks)
        ]


class SharedHead(nn.Module):
    """One multi-task head for all levels: shared 3x3, then depthwise 3x3 and 1x1 per task.

    Only the normalisation is the level's own: the statistics of the levels differ, and one
    running mean for all three would fit none of them.
    """

    def __init__(self, channels: int, anchors: int, leak: float) -> None:
        super().__init__()
        self.leak = leak
        self.stem = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(LEVELS))
        self.towers = nn.ModuleDict(
            {task: nn.Conv2d(channels, channels, 3, padding=1, groups=channels) for task in TASKS}
        )
        self.tasks = nn.ModuleDict(
            {task: nn.Conv2d(channels, anchors * numbers, 1) for task, numbers in TASKS.items()}
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return boxes (B,N,4), logits (B,N,2), landmarks (B,N,10)."""
        common = [
            self._active(norm(self.stem(feature_map)))
            for norm, feature_map in zip(self.norms, maps, strict=True)
        ]
        return [
            gather(
                [layer(self._active(self.towers[task](feature_map))) for feature_map in common],
                TASKS[task],
            )
            for task, layer in self.tasks.items()
        ]

    def _active(self, features: Tensor) -> Tensor:
        return nn.functional.leaky_relu(features, self.leak)


def initialise(heads: nn.Module, probability: float) -> None:
    """Start near zero, with PROBABILITY for `face` (Lin et al., 2017, arXiv:1708.02002)."""
    tasks = heads.get_submodule("tasks")
    for name, layer in tasks.named_modules():
        if isinstance(layer, nn.Conv2d):
            nearly_silent(layer)
            if layer.bias is not None and name.startswith("classes"):
                _lean(layer.bias, probability)


def nearly_silent(layer: nn.Conv2d) -> None:
    """Let LAYER answer with numbers near zero."""
    nn.init.normal_(layer.weight, std=0.01)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _lean(bias: Tensor, probability: float) -> None:
    """Set the logits (background, face) of each anchor so that softmax gives PROBABILITY."""
    odds = math.log(probability / (1 - probability))
    with torch.no_grad():
        bias.view(-1, 2)[:] = torch.tensor([-odds / 2, odds / 2])


def gather(outputs: Sequence[Tensor], numbers: int) -> Tensor:
    """Join levels (B,A*numbers,H,W) to (B,N,numbers): level, row, column, anchor."""
    rows = [output.permute(0, 2, 3, 1).reshape(output.shape[0], -1, numbers) for output in outputs]
    return torch.cat(rows, 1)


def _tasks(tasks: nn.ModuleDict) -> list[tuple[str, nn.ModuleList]]:
    return [(name, layers) for name, layers in tasks.items() if isinstance(layers, nn.ModuleList)]
