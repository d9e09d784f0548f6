"""Dynamic Channel Allocation: the thesis's gate that shares channels out between levels.

Ours, since the thesis names the idea alone. Squeeze-and-excitation (Hu et al., 2018),
https://arxiv.org/abs/1709.01507, gives each channel a factor of its own; here a channel has a
fixed budget of one for each level, which the scene shares out between the levels: what a fine map
gains, the coarser ones give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Sequence


class ChannelAllocation(nn.Module):
    """Scale each channel of each level; the factors of a channel add up to the levels."""

    def __init__(self, channels: int, levels: int, reduction: int) -> None:
        super().__init__()
        self.levels = levels
        hidden = max(2, channels // reduction)
        self.reduce = nn.Linear(levels * channels, hidden)
        self.expand = nn.ModuleList(nn.Linear(hidden, channels) for _ in range(levels))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Scale MAPS (B,C,H,W), same shapes."""
        scene = torch.cat([feature_map.mean((2, 3)) for feature_map in maps], 1)  # (B,levels*C)
        hidden = torch.relu(self.reduce(scene))
        scores = torch.stack([expand(hidden) for expand in self.expand])  # (levels,B,C)
        factors = self.levels * scores.softmax(0)
        return [
            feature_map * factors[level][:, :, None, None] for level, feature_map in enumerate(maps)
        ]
