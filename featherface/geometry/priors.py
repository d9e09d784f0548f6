"""Priors, the anchor boxes of all predictions (SSD: Liu et al., 2016, arXiv:1512.02325)."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
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
    # NumPy, on this thread alone: PyTorch would call for others, and WIDER FACE has many sizes.
    levels = [
        _level(_shapes(level, ratios), step, height, width)
        for level, step in zip(sizes, steps, strict=True)
    ]
    return torch.from_numpy(np.concatenate(levels))


def _shapes(sizes: tuple[int, ...], ratios: tuple[float, ...]) -> NDArray[np.float64]:
    """Return width and height in pixels (A,2) of each size in each ratio, of equal areas."""
    shapes = [(size / ratio**0.5, size * ratio**0.5) for size in sizes for ratio in ratios]
    return np.array(shapes)


def _level(shapes: NDArray[np.float64], step: int, height: int, width: int) -> NDArray[np.float32]:
    rows, columns = _centres(height, step), _centres(width, step)
    boxes = np.empty((len(rows), len(columns), len(shapes), 4), np.float32)
    boxes[..., 0] = (columns / width)[None, :, None]
    boxes[..., 1] = (rows / height)[:, None, None]
    boxes[..., 2:] = shapes / np.array((width, height))
    return boxes.reshape(-1, 4)


def _centres(size: int, step: int) -> NDArray[np.float64]:
    """Return the middles in pixels of the ceil(SIZE / STEP) cells."""
    cells = -(-size // step)
    return (np.arange(cells, dtype=np.float64) + 0.5) * step
