"""DropBlock (Ghiasi et al., 2018, https://arxiv.org/abs/1810.12890).

Differs: the share that is left out stays the same through the training, and the same places are
left out of all channels of a map, as in the published code.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from featherface.devices.all_reduce import averaged
from featherface.devices.dtypes import wide


class DropBlock(nn.Module):
    """Leave out square blocks of each map in training; in use, nothing changes. No parameters."""

    def __init__(self, share: float, size: int) -> None:
        super().__init__()
        self.share, self.size = share, size

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return MAPS (B, C, H, W), of which about `share` of the positions are zero."""
        return [self._drop(feature_map) for feature_map in maps] if self.training else maps

    def _drop(self, features: Tensor) -> Tensor:
        batch, _, height, width = features.shape
        size = min(self.size, height, width)
        size -= 1 - size % 2  # odd: a block has a middle
        valid = (height - size + 1) * (width - size + 1)
        chance = self.share * height * width / (size**2 * valid)
        middles = torch.rand(batch, 1, height - size + 1, width - size + 1, device=features.device)
        blocks = functional.pad((middles < chance).to(wide(features.dtype)), (size // 2,) * 4)
        kept = 1 - functional.max_pool2d(blocks, size, stride=1, padding=size // 2)
        growth = kept.numel() / averaged(kept.sum()).clamp_min(1)
        return features * (kept * growth).to(features.dtype)
