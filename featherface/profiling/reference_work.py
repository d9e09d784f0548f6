"""The reference: a fixed piece of work, by whose time one sees whether a machine stays as fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE, CHANNELS, MAP = 256, 32, 80
"""Rows of the matrices; channels and side of the map that is convolved."""


def reference_work(device: torch.device) -> Callable[[], torch.Tensor]:
    """Return a product of matrices and a convolution on DEVICE, the same numbers at every call."""
    generator = torch.Generator().manual_seed(0)
    matrix = torch.rand((SIDE, SIDE), generator=generator).to(device)
    images = torch.rand((1, CHANNELS, MAP, MAP), generator=generator).to(device)
    kernel = torch.rand((CHANNELS, CHANNELS, 3, 3), generator=generator).to(device)

    def work() -> torch.Tensor:
        product = matrix @ matrix
        convolved = nn.functional.conv2d(images, kernel, padding=1)
        return product.sum() + convolved.sum()

    return work
