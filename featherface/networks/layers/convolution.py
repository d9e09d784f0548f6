"""Convolution blocks: convolution, normalisation, activation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterable


def norm_convolution(
    inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution without bias and its batch normalisation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


def active_convolution(
    inputs: int, outputs: int, kernel: int = 3, *, leak: float, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """As `norm_convolution`, then a LeakyReLU."""
    layers = norm_convolution(inputs, outputs, kernel, stride=stride, groups=groups)
    return layers.append(nn.LeakyReLU(leak, inplace=True))


def separable_convolution(
    inputs: int, outputs: int, *, leak: float, stride: int = 1
) -> nn.Sequential:
    """Depthwise 3x3, then 1x1, each normalised and active (MobileNetV1's block)."""
    depthwise = active_convolution(inputs, inputs, leak=leak, stride=stride, groups=inputs)
    return depthwise.extend(active_convolution(inputs, outputs, 1, leak=leak))


class PerLevel(nn.ModuleList):
    """One block for each pyramid level."""

    def forward(self, maps: Iterable[Tensor]) -> list[Tensor]:
        """Apply the i-th block to the i-th map."""
        return [block(feature_map) for block, feature_map in zip(self, maps, strict=True)]
