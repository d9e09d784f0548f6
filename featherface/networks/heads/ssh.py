"""SSH context (Najibi et al., 2017), https://arxiv.org/abs/1708.03979.

Differs from the paper: the branches share their first 5x5 convolution, as in RetinaFace; in
FeatherFace every convolution is deformable; in the thesis's students they are grouped.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from featherface.networks.layers.convolution import norm_convolution
from featherface.networks.layers.deformable import DeformableConv
from featherface.variants.config import grouped_quarter


class Convolve(Protocol):
    """Makes a normalised 3x3 convolution from its inputs and outputs."""

    def __call__(self, inputs: int, outputs: int) -> nn.Module:
        """Return the layer."""


class SSH(nn.Module):
    """Receptive fields of 3, 5 and 7 side by side: C/2, C/4 and C/4 channels.

    With QUARTER given, the two wide fields have that many channels and the 3x3 what is left.
    """

    def __init__(
        self, channels: int, convolve: Convolve, leak: float, quarter: int | None = None
    ) -> None:
        super().__init__()
        self.leak = leak
        quarter = quarter or channels // 4
        self.branch3 = convolve(channels, channels - 2 * quarter)
        self.branch5_first = convolve(channels, quarter)
        self.branch5_last = convolve(quarter, quarter)
        self.branch7_middle = convolve(quarter, quarter)
        self.branch7_last = convolve(quarter, quarter)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape (B,C,H,W), never negative."""
        near = self.branch3(features)
        shared = nn.functional.leaky_relu(self.branch5_first(features), self.leak)
        middle = self.branch5_last(shared)
        far = nn.functional.leaky_relu(self.branch7_middle(shared), self.leak)
        return torch.cat((near, middle, self.branch7_last(far)), 1).relu()


def plain(channels: int, leak: float) -> SSH:
    """RetinaFace's context module."""
    return SSH(channels, norm_convolution, leak)


def deformable(channels: int, leak: float) -> SSH:
    """FeatherFace's context module."""

    def convolve(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(DeformableConv(inputs, outputs), nn.BatchNorm2d(outputs))

    return SSH(channels, convolve, leak)


def grouped(channels: int, leak: float, groups: int = 4) -> SSH:
    """Wide convolutions in two groups, narrow ones in GROUPS: under half the weights.

    The narrow width is C/4, raised to a multiple of GROUPS.
    """

    def convolve(inputs: int, outputs: int) -> nn.Module:
        return norm_convolution(inputs, outputs, groups=2 if inputs == channels else groups)

    return SSH(channels, convolve, leak, grouped_quarter(channels, groups))
