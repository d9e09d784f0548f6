"""Face sizes of a split, binned by the pyramid levels of a network."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from featherface.data.widerface import Split
    from featherface.variants.config import DetectorConfig


def census(split: Split, config: DetectorConfig) -> dict[str, Any]:
    """Count the faces of SPLIT per pyramid level of the network, and those with landmarks.

    Returns:
        `sizes`: `bounds`, face sides in pixels that separate neighbouring levels (geometric
        means of their prior sizes), and `faces`, the number per level, smallest first;
        `landmarks`: the number of faces with all five.
    """
    bounds = level_bounds(config)
    counts = np.zeros(len(bounds) + 1, dtype=np.int64)
    with_landmarks = 0
    for image in split.images:
        width, height = (image.boxes[:, 2:] - image.boxes[:, :2]).T
        levels = np.searchsorted(bounds, np.sqrt(np.maximum(width * height, 0)), side="right")
        counts += np.bincount(levels, minlength=len(counts))
        with_landmarks += int((~np.isnan(image.landmarks).any(axis=1)).sum())
    return {"sizes": {"bounds": bounds, "faces": counts.tolist()}, "landmarks": with_landmarks}


def level_bounds(config: DetectorConfig) -> list[int]:
    """Return the face sides in pixels that separate neighbouring levels, smallest first."""
    return [round(math.sqrt(max(low) * min(high))) for low, high in pairwise(config.prior_sizes)]
