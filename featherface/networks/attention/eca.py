"""ECA (Wang et al., 2020), https://arxiv.org/abs/1910.03151, with CBAM's spatial gate.

Differs from the papers: the spatial convolution has neither bias nor normalisation, and the
kernel of ECA is truncated, then made odd by adding one. The two gates work one after the other,
or both look at the input and their masks are multiplied.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class ChannelConv(nn.Module):
    """Which channels matter: a short convolution over the channels' means."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        size = int(abs(math.log2(channels) / 2 + 0.5))
        size += 1 - size % 2
        self.conv = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return a mask (B,C,1,1) in 0..1 for FEATURES (B,C,H,W)."""
        score = self.conv(features.mean((2, 3))[:, None])  # (B,1,C)
        return torch.sigmoid(score)[:, 0, :, None, None]


class SpatialConv(nn.Module):
    """Which positions matter: a 7x7 convolution over the channels' mean and maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return a mask (B,1,H,W) in 0..1 for FEATURES (B,C,H,W)."""
        pooled = (features.mean(1, keepdim=True), features.amax(1, keepdim=True))
        return torch.sigmoid(self.conv(torch.cat(pooled, 1)))


class ECACBAM(nn.Module):
    """ECA, then the spatial gate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel = ChannelConv(channels)
        self.spatial = SpatialConv()

    def forward(self, features: Tensor) -> Tensor:
        """Return the gated features, same shape (B,C,H,W)."""
        features = features * self.channel(features)
        gated: Tensor = features * self.spatial(features)
        return gated


class ParallelECACBAM(ECACBAM):
    """Both gates look at the input."""

    def forward(self, features: Tensor) -> Tensor:
        """Return the gated features, same shape (B,C,H,W)."""
        gated: Tensor = features * (self.channel(features) * self.spatial(features))
        return gated
