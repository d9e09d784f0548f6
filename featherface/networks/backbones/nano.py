"""Blocks of V3 Nano; docs/decisions/009-v3-nano.md says why they are what they are.

From YuNet (Wu et al., 2023), https://doi.org/10.1007/s11633-023-1423-y: the unit (a 1x1
convolution, then a depthwise 3x3, one normalisation, one activation), 64 channels at all three
levels, the top-down neck made of units. From EResFD (Jeong et al., 2024),
https://arxiv.org/abs/2204.01209: ordinary convolutions where channels are few, shortcuts, the
cascaded context module.

Differs from YuNet: strides in place of pooling, shortcuts, no bias before a normalisation, a
context module, anchors in place of points. Differs from EResFD: units in place of its ordinary
convolutions from stride 4 on, three levels in place of six.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featherface.networks.layers.convolution import (
    PerLevel,
    active_convolution,
    norm_convolution,
    separable_convolution,
)
from featherface.networks.layers.enlarging import enlarge

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 64
"""Channels of each map that leaves the backbone."""


def blueprint(inputs: int, outputs: int) -> nn.Sequential:
    """YuNet's unit up to its normalisation: mix channels first, then look around."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs, bias=False),
    )


def unit(inputs: int, outputs: int, leak: float) -> nn.Sequential:
    """YuNet's unit: `blueprint`, normalisation, activation."""
    return blueprint(inputs, outputs).extend((nn.BatchNorm2d(outputs), nn.LeakyReLU(leak)))


class ShortcutBlock(nn.Module):
    """x + two units, the second without activation."""

    def __init__(self, channels: int, leak: float) -> None:
        super().__init__()
        self.units = nn.Sequential(
            *unit(channels, channels, leak),
            *blueprint(channels, channels),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return new features of the same shape (B,C,H,W)."""
        added: Tensor = self.units(features)
        return features + added


class NanoBackbone(nn.Module):
    """Picture (B,3,H,W) to three maps of 64 channels at strides 8, 16, 32."""

    widths = (WIDTH, WIDTH, WIDTH)

    def __init__(self, leak: float = 0.1) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            active_convolution(3, 16, leak=leak, stride=2),
            active_convolution(16, 24, leak=leak, stride=2),
            ShortcutBlock(24, leak),
        )
        self.level3 = _level(24, 2, leak)
        self.level4 = _level(WIDTH, 2, leak)
        self.level5 = _level(WIDTH, 1, leak)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the three maps, finest first."""
        third = self.level3(self.stem(images))  # (B,64,H/8,W/8)
        fourth = self.level4(third)  # (B,64,H/16,W/16)
        return [third, fourth, self.level5(fourth)]


def _level(inputs: int, blocks: int, leak: float) -> nn.Sequential:
    shrink = separable_convolution(inputs, WIDTH, leak=leak, stride=2)
    return nn.Sequential(shrink, *(ShortcutBlock(WIDTH, leak) for _ in range(blocks)))


class TopDown(nn.Module):
    """YuNet's neck: from coarse to fine, one unit for each level.

    A lateral stands only where a map is not CHANNELS wide already.
    """

    def __init__(self, widths: Sequence[int], channels: int, leak: float) -> None:
        super().__init__()
        self.laterals = PerLevel(
            nn.Identity() if width == channels else norm_convolution(width, channels, 1)
            for width in widths
        )
        self.unit3, self.unit4, self.unit5 = (unit(channels, channels, leak) for _ in range(3))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the three mixed maps (B,CHANNELS,H,W), finest first."""
        third, fourth, fifth = self.laterals(maps)
        fifth = self.unit5(fifth)
        fourth = self.unit4(fourth + enlarge(fifth, fourth))
        third = self.unit3(third + enlarge(fourth, third))
        return [third, fourth, fifth]


class CascadeContext(nn.Module):
    """EResFD's context module: each field of view continues the one before.

    Fields of 3, 7 and 11 with C/2, C/4 and C/4 channels side by side, where SSH starts each of
    its branches from all C channels.
    """

    def __init__(self, channels: int, leak: float) -> None:
        super().__init__()
        half, quarter = channels // 2, channels // 4
        self.near = unit(channels, half, leak)
        self.middle = nn.Sequential(unit(half, quarter, leak), unit(quarter, quarter, leak))
        self.far = nn.Sequential(unit(quarter, quarter, leak), unit(quarter, quarter, leak))

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (B,C,H,W)."""
        near = self.near(features)
        middle = self.middle(near)
        return torch.cat((near, middle, self.far(middle)), 1)
