"""BiFPN (EfficientDet: Tan, Pang and Le, 2020), https://arxiv.org/abs/1911.09070.

Differs from the paper: three levels instead of five, and in the published weights the last
node keeps a third fusion weight that only takes part in the normalisation. Max pooling pads
with 1e-20 in place of zero: ONNX Runtime folds a zero pad into the pooling, which then pads
with minus infinity and returns other numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from featherface.networks.layers.convolution import PerLevel, norm_convolution
from featherface.networks.layers.enlarging import enlarge
from featherface.networks.layers.exporting import keeps_own_operators

if TYPE_CHECKING:
    from collections.abc import Sequence

EPSILON = 1e-4
"""Keeps the fusion weights' sum away from zero."""
ALMOST_ZERO = 1e-20
"""Pads the max pooling; see the module's docstring."""


def halve(features: Tensor) -> Tensor:
    """Max-pool FEATURES (B,C,H,W) 3x3 with stride 2 to (B,C,ceil(H/2),ceil(W/2)).

    Pads as TensorFlow's "same" does: one more after than before.
    """
    if keeps_own_operators():
        whole: Tensor = opaque_halve(features)
        return whole
    before = _before(features)
    if torch.compiler.is_exporting():
        return _padded_and_pooled(features, before)
    # The same without a padded copy: windows are cut at the edge, then see the pad's value.
    pooled = functional.max_pool2d(features, 3, 2, padding=before, ceil_mode=True)
    for axis, odd in zip((2, 3), before, strict=True):
        for edge in (0, -1) if odd else (-1,):
            pooled.select(axis, edge).clamp_min_(ALMOST_ZERO)
    return pooled


@torch.library.custom_op("featherface::halve", mutates_args=())
def opaque_halve(features: Tensor) -> Tensor:
    """Do as `halve`, in one piece that an exporter puts operators of any size for."""
    return _padded_and_pooled(features, _before(features))


def operator() -> Any:
    """Return the operator that an exporter meets."""
    return torch.ops.featherface.halve.default


@opaque_halve.register_fake
def _shape(features: Tensor) -> Tensor:
    batch, channels, height, width = features.shape
    return features.new_empty(batch, channels, (height + 1) // 2, (width + 1) // 2)


def _before(features: Tensor) -> tuple[int, int]:
    """Return how many rows and columns are padded before the first."""
    height, width = features.shape[-2:]
    return height % 2, width % 2


def _padded_and_pooled(features: Tensor, before: tuple[int, int]) -> Tensor:
    frame = (before[1], 1, before[0], 1)
    return functional.max_pool2d(functional.pad(features, frame, value=ALMOST_ZERO), 3, 2)


class Fusion(nn.Module):
    """Weighted mean of maps with learnt weights that never go negative, then Swish."""

    def __init__(self, count: int, *, idle: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(count + idle))

    def forward(self, *maps: Tensor) -> Tensor:
        """Mix MAPS, all (B,C,H,W)."""
        positive = torch.relu(self.weight)
        share = positive / (positive.sum() + EPSILON)
        mixed = share[0] * maps[0]
        for index, feature_map in enumerate(maps[1:], start=1):
            mixed = mixed.addcmul_(feature_map, share[index])
        return functional.silu(mixed, inplace=not mixed.requires_grad)


class Node(nn.Module):
    """Depthwise 3x3, then 1x1, then batch normalisation, without activation."""

    def __init__(self, channels: int, momentum: float, *, bias: bool) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=bias)
        self.norm = nn.BatchNorm2d(channels, eps=1e-3, momentum=momentum)

    def forward(self, features: Tensor) -> Tensor:
        """Return new features of the same shape (B,C,H,W)."""
        mixed: Tensor = self.norm(self.pointwise(self.depthwise(features)))
        return mixed


class BiFPNLayer(nn.Module):
    """One pass down and one pass up."""

    fuse4_down: nn.Module
    fuse3: nn.Module
    fuse4_up: nn.Module
    fuse5: nn.Module

    def __init__(self, channels: int, momentum: float, *, published: bool) -> None:
        super().__init__()
        self.fuse4_down, self.fuse3 = Fusion(2), Fusion(2)
        self.fuse4_up, self.fuse5 = Fusion(3), Fusion(2, idle=int(published))
        self.node4_down, self.node3, self.node4_up, self.node5 = (
            Node(channels, momentum, bias=published) for _ in range(4)
        )

    def forward(self, down: Sequence[Tensor], up: Sequence[Tensor]) -> list[Tensor]:
        """Mix three maps; DOWN feeds the way down, UP (levels 4 and 5) the way up."""
        third, fourth, fifth = down
        middle = self.node4_down(self.fuse4_down(fourth, enlarge(fifth, fourth)))
        third = self.node3(self.fuse3(third, enlarge(middle, third)))
        fourth = self.node4_up(self.fuse4_up(up[0], middle, halve(third)))
        fifth = self.node5(self.fuse5(up[1], halve(fourth)))
        return [third, fourth, fifth]


class BiFPN(nn.Module):
    """The published neck: five laterals, then REPEATS layers."""

    def __init__(self, widths: Sequence[int], channels: int, repeats: int, momentum: float) -> None:
        super().__init__()
        self.down = PerLevel(_lateral(width, channels, momentum) for width in widths)
        self.up = PerLevel(_lateral(width, channels, momentum) for width in widths[1:])
        self.layers = nn.ModuleList(
            BiFPNLayer(channels, momentum, published=True) for _ in range(repeats)
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return three mixed maps of CHANNELS channels, finest first."""
        down: list[Tensor] = self.down(maps)
        up: list[Tensor] = self.up(maps[1:])
        for layer in self.layers:
            down = layer(down, up)
            up = down[1:]
        return down


class LightBiFPN(nn.Module):
    """REPEATS layers over maps that have CHANNELS channels already; no idle weight, no bias."""

    def __init__(self, channels: int, repeats: int, momentum: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            BiFPNLayer(channels, momentum, published=False) for _ in range(repeats)
        )

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return three mixed maps of the same shapes."""
        for layer in self.layers:
            maps = layer(maps, maps[1:])
        return maps


def light_laterals(widths: Sequence[int], channels: int) -> PerLevel:
    """Project each map to CHANNELS channels in two groups: half the weights of a dense one."""
    return PerLevel(norm_convolution(width, channels, 1, groups=2) for width in widths)


def _lateral(width: int, channels: int, momentum: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, channels, 1),
        nn.BatchNorm2d(channels, eps=1e-3, momentum=momentum),
    )
