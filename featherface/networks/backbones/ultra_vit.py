"""UltraEfficientViT: the thesis's backbone of 45K parameters with linear attention.

Built like EfficientViT (Cai et al., 2023), https://arxiv.org/abs/2205.14756: convolutions to
stride 8, then blocks of linear attention and a feed-forward layer with a depthwise convolution.
Differs from it: φ is elu + 1, attention has one scale, and widths fit the budget. Differs from
the thesis's sketch, which cuts the picture in patches of 16 with 32 channels and four blocks: the
four blocks stand at strides 8, 8, 16 and 32, where the sketch's three outputs (32, 64 and 128
channels) are taken. There is no table of positions; the depthwise convolutions tell a position
from its neighbours (Chu et al., 2021, https://arxiv.org/abs/2102.10882), at any picture size.
"""

from __future__ import annotations

from torch import Tensor, nn

from featherface.networks.attention.linear_attention import LinearAttention
from featherface.networks.layers.convolution import (
    active_convolution,
    norm_convolution,
    separable_convolution,
)

ATTENTION = 16
"""Channels of queries, keys and values."""
HEADS = 4
HIDDEN = 32
"""Channels inside the feed-forward layers."""


class ViTBlock(nn.Module):
    """x + attention(x), then x + feed-forward(x)."""

    def __init__(self, channels: int, leak: float) -> None:
        super().__init__()
        self.attention = LinearAttention(channels, ATTENTION, HEADS)
        self.feed = nn.Sequential(
            *active_convolution(channels, HIDDEN, 1, leak=leak),
            *active_convolution(HIDDEN, HIDDEN, leak=leak, groups=HIDDEN),
            *norm_convolution(HIDDEN, channels, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return new features of the same shape (B,C,H,W)."""
        features = features + self.attention(features)
        fed: Tensor = self.feed(features)
        return features + fed


class UltraEfficientViT(nn.Module):
    """Picture (B,3,H,W) to maps of 32, 64, 128 channels at strides 8, 16, 32."""

    widths = (32, 64, 128)

    def __init__(self, leak: float = 0.1) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            active_convolution(3, 8, leak=leak, stride=2),
            separable_convolution(8, 16, leak=leak, stride=2),
            separable_convolution(16, 32, leak=leak, stride=2),
        )
        self.stage1 = nn.Sequential(ViTBlock(32, leak), ViTBlock(32, leak))
        self.stage2 = nn.Sequential(
            separable_convolution(32, 64, leak=leak, stride=2), ViTBlock(64, leak)
        )
        self.stage3 = nn.Sequential(
            separable_convolution(64, 128, leak=leak, stride=2), ViTBlock(128, leak)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the three maps, finest first."""
        third = self.stage1(self.stem(images))  # (B,32,H/8,W/8)
        fourth = self.stage2(third)  # (B,64,H/16,W/16)
        return [third, fourth, self.stage3(fourth)]
