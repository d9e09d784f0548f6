"""BiFPN_Ultra: the thesis's neck whose fusion adapts to what it sees.

Built on BiFPN (Tan, Pang and Le, 2020), https://arxiv.org/abs/1911.09070, with the weights of
ASFF (Liu, Huang and Wang, 2019), https://arxiv.org/abs/1911.09516: each node shares out its
inputs position by position. Differs from ASFF: the scores come from one 1x1 convolution per
input, and nodes have two or three inputs, as in BiFPN. Each layer refines the maps of the one
before by adding to them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from featherface.networks.necks.bifpn import BiFPNLayer


class AdaptiveFusion(nn.Module):
    """Mean of maps with weights that are learnt and differ from position to position; Swish."""

    def __init__(self, count: int, channels: int) -> None:
        super().__init__()
        self.scores = nn.ModuleList(nn.Conv2d(channels, 1, 1) for _ in range(count))

    def forward(self, *maps: Tensor) -> Tensor:
        """Mix MAPS, all (B,C,H,W)."""
        scores = [score(feature_map) for score, feature_map in zip(self.scores, maps, strict=True)]
        shares = torch.cat(scores, 1).softmax(1)  # (B,count,H,W)
        mixed = shares[:, :1] * maps[0]
        for index, feature_map in enumerate(maps[1:], start=1):
            mixed = mixed + shares[:, index : index + 1] * feature_map
        return functional.silu(mixed)


class UltraLayer(BiFPNLayer):
    """One pass down and one pass up, with adaptive fusion."""

    def __init__(self, channels: int, momentum: float) -> None:
        super().__init__(channels, momentum, published=False)
        self.fuse4_down, self.fuse3, self.fuse5 = (AdaptiveFusion(2, channels) for _ in range(3))
        self.fuse4_up = AdaptiveFusion(3, channels)


class BiFPNUltra(nn.Module):
    """REPEATS layers over maps that have CHANNELS channels already, each added to its input."""

    def __init__(self, channels: int, repeats: int, momentum: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(UltraLayer(channels, momentum) for _ in range(repeats))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return three refined maps of the same shapes (B,C,H,W)."""
        for layer in self.layers:
            refined = layer(maps, maps[1:])
            maps = [feature_map + new for feature_map, new in zip(maps, refined, strict=True)]
        return maps
