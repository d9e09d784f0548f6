"""CBAM_Cascade: the thesis's attention in three stages.

Built on CBAM (Woo et al., 2018), https://arxiv.org/abs/1807.06521.

1. Raw: V2's shared CBAM on the maps that enter the neck.
2. Context: on the maps that leave the neck, gates that know all levels (`ContextCBAM`).
3. Task: in the head, one shared CBAM before each task's tower.

Differs from the paper: every stage is added to its input, x + CBAM(x); the thesis names the
stages without code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featherface.networks.attention.cbam import SharedCBAM, SpatialGate
from featherface.networks.heads.linear import TASKS

if TYPE_CHECKING:
    from collections.abc import Sequence


class ContextCBAM(nn.Module):
    """Channel gates that read their own level and the whole pyramid, and a spatial gate.

    The pyramid's means join each level's bottleneck, so what the coarse maps see of the scene
    opens or shuts channels of the fine ones.
    """

    def __init__(
        self, widths: Sequence[int], reduction: int, momentum: float, kernel: int = 7
    ) -> None:
        super().__init__()
        hidden = max(2, min(widths) // reduction)
        self.scene = nn.Linear(sum(widths), hidden)
        self.reduce = nn.ModuleList(nn.Linear(2 * width, hidden) for width in widths)
        self.expand = nn.ModuleList(nn.Linear(hidden, width) for width in widths)
        self.spatial = SpatialGate(momentum, kernel)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Gate each map (B,C,H,W), same shapes."""
        means = [feature_map.mean((2, 3)) for feature_map in maps]  # (B,C) each
        scene = self.scene(torch.cat(means, 1))  # (B,hidden)
        gated = []
        for feature_map, mean, reduce, expand in zip(
            maps, means, self.reduce, self.expand, strict=True
        ):
            own = reduce(torch.cat((mean, feature_map.amax((2, 3))), 1))
            mask = torch.sigmoid(expand(torch.relu(own + scene)))
            gated.append(feature_map + self.spatial(feature_map * mask[:, :, None, None]))
        return gated


class TaskCBAM(nn.Module):
    """One shared CBAM for each task."""

    def __init__(
        self, widths: Sequence[int], reduction: int, momentum: float, kernel: int = 7
    ) -> None:
        super().__init__()
        self.tasks = nn.ModuleDict(
            {task: SharedCBAM(widths, reduction, momentum, kernel) for task in TASKS}
        )

    def forward(self, maps: list[Tensor]) -> dict[str, list[Tensor]]:
        """Return the gated MAPS (B,C,H,W) of each task."""
        return {task: attend(maps) for task, attend in self.tasks.items()}
