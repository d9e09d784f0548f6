"""Faces of a split by size, as the levels of a network divide them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from featherface.data.widerface import Split
    from featherface.variants.config import DetectorConfig


def census(split: Split, config: DetectorConfig) -> dict[str, Any]:
    """Count the faces of SPLIT by the network's levels, and those that have landmarks.

    Returns:
        `sizes`: `bounds`, the sides in pixels between neighbouring levels (geometric means of
        their prior sizes), and `faces`, the number on each level, smallest first; `landmarks`:
        the faces with all five.
    """
    bounds = level_bounds(config)
    counts = np.zeros(len(bounds) + 1, dtype=np.int64)
    known = 0
    for image in split.images:
        width, height = (image.boxes[:, 2:] - image.boxes[:, :2]).T
        levels = np.searchsorted(bounds, np.sqrt(np.maximum(width * height, 0)), side="right")
        counts += np.bincount(levels, minlength=len(counts))
        known += int((~np.isnan(image.landmarks).any(axis=1)).sum())
    return {"sizes": {"bounds": bounds, "faces": counts.tolist()}, "landmarks": known}


def level_bounds(config: DetectorConfig) -> list[int]:
    """Return the sides in pixels at which faces pass from one level to the next."""
    return [round(math.sqrt(max(low) * min(high))) for low, high in pairwise(config.prior_sizes)]
