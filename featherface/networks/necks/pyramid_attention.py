"""PyramidAttentionFusion: the thesis's neck of 75K parameters.

Every position of every level looks at all levels by linear attention
(`attention.linear_attention`), then separable convolutions carry detail down and up,
as in PANet (Liu et al., 2018), https://arxiv.org/abs/1803.01534, with BiFPN's learnt weights (Tan,
Pang and Le, 2020), https://arxiv.org/abs/1911.09070. Differs from them: attention across scales
comes first. The thesis's sketch names the three parts (cross-scale attention, separable
convolutions, adaptive weighted fusion) without code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from featherface.networks.attention.linear_attention import CrossAttention
from featherface.networks.layers.convolution import (
    PerLevel,
    norm_convolution,
    separable_convolution,
)
from featherface.networks.layers.enlarging import enlarge
from featherface.networks.necks.bifpn import Fusion, halve

if TYPE_CHECKING:
    from collections.abc import Sequence

ATTENTION = 32
"""Channels of queries, keys and values."""
HEADS = 4


class PyramidAttentionFusion(nn.Module):
    """Three maps of different widths to three of CHANNELS channels."""

    def __init__(self, widths: Sequence[int], channels: int, leak: float) -> None:
        super().__init__()
        self.laterals = PerLevel(norm_convolution(width, channels, 1) for width in widths)
        self.attention = CrossAttention(len(widths), channels, ATTENTION, HEADS)
        self.fuse4_down, self.fuse3, self.fuse5 = Fusion(2), Fusion(2), Fusion(2)
        self.fuse4_up = Fusion(3)
        self.smooth4_down, self.smooth3, self.smooth4_up, self.smooth5 = (
            separable_convolution(channels, channels, leak=leak) for _ in range(4)
        )
        self.refine = PerLevel(
            separable_convolution(channels, channels, leak=leak) for _ in range(3)
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the three mixed maps (B,CHANNELS,H,W), finest first."""
        maps = self.laterals(maps)
        attended = self.attention(maps)
        third, fourth, fifth = (
            feature_map + seen for feature_map, seen in zip(maps, attended, strict=True)
        )
        middle = self.smooth4_down(self.fuse4_down(fourth, enlarge(fifth, fourth)))
        third = self.smooth3(self.fuse3(third, enlarge(middle, third)))
        fourth = self.smooth4_up(self.fuse4_up(fourth, middle, halve(third)))
        fifth = self.smooth5(self.fuse5(fifth, halve(fourth)))
        refined: list[Tensor] = self.refine([third, fourth, fifth])
        return refined
