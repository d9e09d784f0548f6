"""CBAM (Woo et al., 2018), https://arxiv.org/abs/1807.06521.

Differs from the paper: the spatial convolution is normalised, as in the authors' code. Three
wrappings exist: plain CBAM(x); ReLU(CBAM(x) + x), as the published FeatherFace needs; and
x + CBAM(x) with one spatial gate for all levels, which saves two thirds of the gates and keeps
the gradient's short way for a small network. The last one can be applied several times with the
same weights (the thesis's "attention multiplication").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featherface.networks.layers.convolution import PerLevel

if TYPE_CHECKING:
    from collections.abc import Sequence


LEAK = 0.1
"""Of a bottleneck that has a single unit."""


class ChannelGate(nn.Module):
    """Which channels matter: a bottleneck over the mean and the maximum of each channel.

    A single unit leaks: were it a ReLU that never opens, the whole gate would stand still.
    """

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.active = nn.ReLU() if hidden > 1 else nn.LeakyReLU(LEAK)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Scale each channel of FEATURES (B,C,H,W) by a factor in 0..1."""
        pooled = (features.mean((2, 3)), features.amax((2, 3)))  # 2 x (B,C)
        score = sum(self.expand(self.active(self.reduce(pooling))) for pooling in pooled)
        return features * torch.sigmoid(score)[:, :, None, None]


class SpatialGate(nn.Module):
    """Which positions matter: a convolution over the channels' maximum and mean.

    A gate for several passes has one set of weights, and for each pass running statistics of
    its own: what it sees grows from pass to pass.
    """

    def __init__(self, momentum: float, kernel: int = 7, *, passes: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(1, momentum=momentum)
        self.later = nn.ModuleList(
            nn.BatchNorm2d(1, momentum=momentum, affine=False) for _ in range(passes - 1)
        )

    def forward(self, features: Tensor, turn: int = 0) -> Tensor:
        """Scale each position of FEATURES (B,C,H,W) by a factor in 0..1; TURN counts passes."""
        pooled = (features.amax(1, keepdim=True), features.mean(1, keepdim=True))
        score = self.conv(torch.cat(pooled, 1))  # (B,1,H,W)
        if turn:
            score = self.later[turn - 1](score) * self.norm.weight + self.norm.bias
        else:
            score = self.norm(score)
        return features * torch.sigmoid(score)


class CBAM(nn.Module):
    """Channel gate, then spatial gate."""

    def __init__(self, channels: int, reduction: int, momentum: float, kernel: int = 7) -> None:
        super().__init__()
        self.channel = ChannelGate(channels, reduction)
        self.spatial = SpatialGate(momentum, kernel)

    def forward(self, features: Tensor) -> Tensor:
        """Return the gated features, same shape."""
        gated: Tensor = self.spatial(self.channel(features))
        return gated


class ResidualCBAM(CBAM):
    """ReLU(CBAM(x) + x)."""

    def forward(self, features: Tensor) -> Tensor:
        """Return the gated sum, same shape, never negative."""
        return super().forward(features).add_(features).relu_()


class SharedCBAM(nn.Module):
    """A channel gate per level and one spatial gate for all: x + CBAM(x).

    With PASSES the last of a1 = CBAM(x), a2 = CBAM(x + a1), a3 = CBAM(x + a1 + a2), … is added
    to x. The thesis's sketch returns it alone; adding it makes one pass the ordinary block.
    """

    def __init__(
        self,
        widths: Sequence[int],
        reduction: int,
        momentum: float,
        kernel: int = 7,
        *,
        passes: int = 1,
    ) -> None:
        super().__init__()
        self.passes = passes
        self.channel = PerLevel(ChannelGate(width, reduction) for width in widths)
        self.spatial = SpatialGate(momentum, kernel, passes=passes)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Gate each map (B,C,H,W), same shapes."""
        return [
            feature_map + self._attend(gate, feature_map)
            for gate, feature_map in zip(self.channel, maps, strict=True)
        ]

    def _attend(self, gate: nn.Module, features: Tensor) -> Tensor:
        attended: Tensor = self.spatial(gate(features))
        for turn in range(1, self.passes):
            features = features + attended
            attended = self.spatial(gate(features), turn)
        return attended
