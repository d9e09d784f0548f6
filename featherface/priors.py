"""The boxes that predictions are relative to (SSD: Liu et al., 2016, arXiv:1512.02325)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.variants import DetectorConfig


def priors(config: DetectorConfig, height: int, width: int) -> Tensor:
    """Return the priors (N,4) of a HEIGHT x WIDTH picture: centre x, y, width, height in 0..1.

    Ordered by level, row, column, size; not clipped to the picture. The result is shared
    between calls: don't write into it.
    """
    return _priors(config.prior_sizes, config.prior_steps, height, width)


@functools.lru_cache(maxsize=64)
def _priors(
    sizes: tuple[tuple[int, ...], ...], steps: tuple[int, ...], height: int, width: int
) -> Tensor:
    levels = [_level(level, step, height, width) for level, step in zip(sizes, steps, strict=True)]
    return torch.cat(levels)


def _level(sizes: tuple[int, ...], step: int, height: int, width: int) -> Tensor:
    rows = _centres(height, step)
    columns = _centres(width, step)
    y, x, side = torch.meshgrid(
        rows, columns, torch.tensor(sizes, dtype=torch.float64), indexing="ij"
    )
    boxes = torch.stack((x / width, y / height, side / width, side / height), -1)
    return boxes.reshape(-1, 4).float()


def _centres(size: int, step: int) -> Tensor:
    """Return the middles in pixels of the ceil(SIZE / STEP) cells."""
    cells = -(-size // step)
    return (torch.arange(cells, dtype=torch.float64) + 0.5) * step
