"""DynamicChannelAttention: the thesis's last gate, of 25K parameters.

Squeeze-and-excitation (Hu et al., 2018), https://arxiv.org/abs/1709.01507. Differs from the paper:
what is squeezed is a blend of each channel's mean and maximum that the picture itself chooses;
the bottleneck does not narrow unless asked; and a mask runs from 0 to 2, starting near 1, so that
the gate can strengthen too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DynamicChannelAttention(nn.Module):
    """Which channels matter in this picture."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        hidden = max(2, channels // reduction)
        self.blend = nn.Linear(channels, 1)
        self.reduce = nn.Linear(channels, hidden)
        self.expand = nn.Linear(hidden, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Scale each channel of FEATURES (B,C,H,W) by a factor in 0..2."""
        mean, most = features.mean((2, 3)), features.amax((2, 3))  # (B,C)
        described = most + torch.sigmoid(self.blend(mean)) * (mean - most)
        score = self.expand(torch.relu(self.reduce(described)))
        return features * (2 * torch.sigmoid(score))[:, :, None, None]
