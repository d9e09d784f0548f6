"""Multi-path neck: several dilations over shared weights, after TridentNet.

Li et al., 2019, https://arxiv.org/abs/1901.01892. Path k walks through the context module with
every kernel dilated k times, and the paths' answers are averaged: an ensemble inside one network,
whose members look at faces of different sizes.

Differs from TridentNet: it is the context module that has paths, not the backbone; all of them
work at inference too; and normalisations are a path's own, since what dilated kernels see is
distributed otherwise.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class SharedKernel(nn.Conv2d):
    """A 3x3 convolution whose dilation is chosen at each call."""

    def forward(self, features: Tensor, dilation: int = 1) -> Tensor:
        """Map (B,C,H,W) to (B,O,H,W)."""
        return functional.conv2d(
            features, self.weight, self.bias, padding=dilation, dilation=dilation
        )


class PathConvolution(nn.Module):
    """One kernel for all paths, and each path's normalisation."""

    def __init__(self, inputs: int, outputs: int, paths: int) -> None:
        super().__init__()
        self.kernel = SharedKernel(inputs, outputs, 3, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs) for _ in range(paths))

    def forward(self, features: Tensor, path: int) -> Tensor:
        """Map (B,C,H,W) to (B,O,H,W) along PATH, which counts from 0."""
        normed: Tensor = self.norms[path](self.kernel(features, path + 1))
        return normed


class MultiPathSSH(nn.Module):
    """SSH, walked through PATHS times with growing dilation."""

    def __init__(self, channels: int, leak: float, paths: int) -> None:
        super().__init__()
        self.leak, self.paths = leak, paths
        half, quarter = channels // 2, channels // 4
        self.branch3 = PathConvolution(channels, half, paths)
        self.branch5_first = PathConvolution(channels, quarter, paths)
        self.branch5_last = PathConvolution(quarter, quarter, paths)
        self.branch7_middle = PathConvolution(quarter, quarter, paths)
        self.branch7_last = PathConvolution(quarter, quarter, paths)

    def forward(self, features: Tensor) -> Tensor:
        """Return the mean of the paths, same shape (B,C,H,W), never negative."""
        total = self._walk(features, 0)
        for path in range(1, self.paths):
            total = total + self._walk(features, path)
        return total / self.paths

    def _walk(self, features: Tensor, path: int) -> Tensor:
        near = self.branch3(features, path)
        shared = functional.leaky_relu(self.branch5_first(features, path), self.leak)
        middle = self.branch5_last(shared, path)
        far = functional.leaky_relu(self.branch7_middle(shared, path), self.leak)
        return torch.cat((near, middle, self.branch7_last(far, path)), 1).relu()
