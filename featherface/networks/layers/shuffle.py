"""Channel shuffle (ShuffleNet: Zhang et al., 2018), https://arxiv.org/abs/1707.01083.

Differs from the paper: FeatherFace calls the de-interleaving with two groups followed by a
bottleneck a shuffle block; the thesis keeps the permutation alone, which has no parameters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def shuffle_channels(features: Tensor, groups: int = 2) -> Tensor:
    """Put every GROUPS-th channel of FEATURES (B,C,H,W) side by side.

    The usual reshape, swap, reshape gives the same; this one writes no size into an export.
    """
    return torch.cat([features[:, start::groups] for start in range(groups)], 1)


class Permutation(nn.Module):
    """The shuffle alone."""

    def forward(self, features: Tensor) -> Tensor:
        """Return FEATURES (B,C,H,W) with the even channels before the odd ones."""
        return shuffle_channels(features)


class ShuffleBlock(nn.Module):
    """Shuffle, squeeze to half the channels, depthwise 3x3, widen, ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.reduce = nn.Conv2d(channels, half, 1, bias=False)
        self.reduce_norm = nn.BatchNorm2d(half)
        self.depthwise = nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False)
        self.depthwise_norm = nn.BatchNorm2d(half)
        self.expand = nn.Conv2d(half, channels, 1, bias=False)
        self.expand_norm = nn.BatchNorm2d(channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return new features of the same shape (B,C,H,W)."""
        narrow = self.reduce_norm(self.reduce(shuffle_channels(features)))
        narrow = self.depthwise_norm(self.depthwise(narrow))
        wide: Tensor = self.expand_norm(self.expand(narrow))
        return wide.relu()
