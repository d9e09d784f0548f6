"""CBAM (Woo et al., 2018), https://arxiv.org/abs/1807.06521.

Differs from the paper: the spatial convolution is normalised, as in the authors' code. Three
wrappings exist: plain CBAM(x); ReLU(CBAM(x) + x), as the published FeatherFace needs; and
x + CBAM(x) with one spatial gate for all levels, which saves two thirds of the gates and keeps
the gradient's short way for a small network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featherface.networks.convolution import PerLevel

if TYPE_CHECKING:
    from collections.abc import Sequence


class ChannelGate(nn.Module):
    """Which channels matter: a bottleneck over the mean and the maximum of each channel."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Scale each channel of FEATURES (B,C,H,W) by a factor in 0..1."""
        pooled = (features.mean((2, 3)), features.amax((2, 3)))  # 2 x (B,C)
        score = sum(self.expand(self.reduce(one).relu()) for one in pooled)
        return features * torch.sigmoid(score)[:, :, None, None]


class SpatialGate(nn.Module):
    """Which positions matter: a 7x7 convolution over the channels' maximum and mean."""

    def __init__(self, momentum: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(1, momentum=momentum)

    def forward(self, features: Tensor) -> Tensor:
        """Scale each position of FEATURES (B,C,H,W) by a factor in 0..1."""
        pooled = (features.amax(1, keepdim=True), features.mean(1, keepdim=True))
        score = self.norm(self.conv(torch.cat(pooled, 1)))  # (B,1,H,W)
        return features * torch.sigmoid(score)


class CBAM(nn.Module):
    """Channel gate, then spatial gate."""

    def __init__(self, channels: int, reduction: int, momentum: float) -> None:
        super().__init__()
        self.channel = ChannelGate(channels, reduction)
        self.spatial = SpatialGate(momentum)

    def forward(self, features: Tensor) -> Tensor:
        """Return the gated features, same shape."""
        gated: Tensor = self.spatial(self.channel(features))
        return gated


class ResidualCBAM(CBAM):
    """ReLU(CBAM(x) + x)."""

    def forward(self, features: Tensor) -> Tensor:
        """Return the gated sum, same shape, never negative."""
        return torch.relu(super().forward(features) + features)


class SharedCBAM(nn.Module):
    """A channel gate per level and one spatial gate for all: x + CBAM(x)."""

    def __init__(self, widths: Sequence[int], reduction: int, momentum: float) -> None:
        super().__init__()
        self.channel = PerLevel(ChannelGate(width, reduction) for width in widths)
        self.spatial = SpatialGate(momentum)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Gate each map (B,C,H,W), same shapes."""
        gated = self.channel(maps)
        return [one + self.spatial(gate) for one, gate in zip(maps, gated, strict=True)]
