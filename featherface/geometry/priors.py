"""Priors, the anchor boxes of all predictions (SSD: Liu et al., 2016, arXiv:1512.02325)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.variants.config import DetectorConfig


@dataclass(frozen=True)
class Levels:
    """How the priors of a square picture are laid out."""

    counts: tuple[int, ...]
    """Priors of each level."""
    steps: tuple[int, ...]
    """Pixels between neighbouring positions of each level."""
    anchors: int
    """Priors per position."""
    side: int
    """Of the picture, pixels."""

    def strides(self, device: torch.device) -> Tensor:
        """Return (P,) each prior's step, as a share of the picture's side."""
        each = zip(self.counts, self.steps, strict=True)
        return torch.cat([torch.full((n,), s / self.side, device=device) for n, s in each])


def levels(config: DetectorConfig, side: int) -> Levels:
    """Return how `priors(config, side, side)` are laid out."""
    cells = [-(-side // step) for step in config.prior_steps]
    counts = tuple(config.anchors * count * count for count in cells)
    return Levels(counts, config.prior_steps, config.anchors, side)


def priors(config: DetectorConfig, height: int, width: int) -> Tensor:
    """Return the priors (N,4) of a HEIGHT x WIDTH picture: centre x, y, width, height in 0..1.

    Ordered by level, row, column, size, ratio; not clipped to the picture. The result is shared
    between calls: don't write into it.
    """
    return _priors(config.prior_sizes, config.prior_ratios, config.prior_steps, height, width)


@functools.lru_cache(maxsize=64)
def _priors(
    sizes: tuple[tuple[int, ...], ...],
    ratios: tuple[float, ...],
    steps: tuple[int, ...],
    height: int,
    width: int,
) -> Tensor:
    levels = [
        _level(_shapes(level, ratios), step, height, width)
        for level, step in zip(sizes, steps, strict=True)
    ]
    return torch.cat(levels)


def _shapes(sizes: tuple[int, ...], ratios: tuple[float, ...]) -> Tensor:
    """Return width and height in pixels (A,2) of each size in each ratio, of equal areas."""
    shapes = [(size / ratio**0.5, size * ratio**0.5) for size in sizes for ratio in ratios]
    return torch.tensor(shapes, dtype=torch.float64)


def _level(shapes: Tensor, step: int, height: int, width: int) -> Tensor:
    rows, columns = _centres(height, step), _centres(width, step)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    picture = torch.tensor((width, height), dtype=torch.float64)
    each = (len(rows), len(columns), len(shapes), 2)
    centres = (torch.stack((x, y), -1) / picture)[:, :, None].expand(each)
    boxes = torch.cat((centres, (shapes / picture).expand(each)), -1)
    return boxes.reshape(-1, 4).float()


def _centres(size: int, step: int) -> Tensor:
    """Return the middles in pixels of the ceil(SIZE / STEP) cells."""
    cells = -(-size // step)
    return (torch.arange(cells, dtype=torch.float64) + 0.5) * step
