"""Coordinate attention (Hou, Zhou and Feng, 2021), https://arxiv.org/abs/2103.02907.

Differs from the paper: the two axes pass the shared bottleneck one after the other instead of
joined, with ReLU in place of h-swish, and no convolution has a bias.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CoordinateAttention(nn.Module):
    """Which rows and which columns matter, channel by channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 32, 8)
        self.reduce = nn.Conv2d(channels, hidden, 1, bias=False)
        self.norm = nn.BatchNorm2d(hidden)
        self.expand_rows = nn.Conv2d(hidden, channels, 1, bias=False)
        self.expand_columns = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the gated features, same shape (B,C,H,W)."""
        rows = self._squeeze(features.mean(3, keepdim=True))  # (B,hidden,H,1)
        columns = self._squeeze(features.mean(2, keepdim=True))  # (B,hidden,1,W)
        mask = torch.sigmoid(self.expand_rows(rows)) * torch.sigmoid(self.expand_columns(columns))
        return features * mask

    def _squeeze(self, means: Tensor) -> Tensor:
        squeezed: Tensor = self.norm(self.reduce(means))
        return squeezed.relu()
