"""Random erasing that spares faces (Zhong et al., 2017, https://arxiv.org/abs/1708.04896)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from featherface.data.sample import Sample, grown, touching

if TYPE_CHECKING:
    from numpy.random import Generator

ATTEMPTS = 20
MOST = 4
"""Rectangles erased in one picture."""
AREA = (0.005, 0.06)
"""Least and most share of the picture that one takes."""
MARGIN = 0.1
"""Of a face's longer side, spared around it."""


def erase(sample: Sample, rng: Generator) -> Sample:
    """Fill up to four rectangles with one colour or with noise, none of them on a face."""
    faces = grown(sample.boxes, MARGIN)
    picture = sample.picture.copy()
    for _ in range(int(rng.integers(1, MOST + 1))):
        for _ in range(ATTEMPTS):
            left, top, width, height = _rectangle(sample.size, rng)
            area = np.array([[left, top, left + width, top + height]], dtype=np.float32)
            if not touching(faces, area).any():
                picture.paste(_filling(width, height, rng), (left, top))
                break
    return replace(sample, picture=picture)


def _rectangle(size: tuple[int, int], rng: Generator) -> tuple[int, int, int, int]:
    """Draw left, top, width and height in whole pixels, inside the picture."""
    area = float(rng.uniform(*AREA)) * size[0] * size[1]
    ratio = float(np.exp(rng.uniform(np.log(0.3), np.log(3.3))))
    width = int(np.clip(round((area * ratio) ** 0.5), 1, size[0]))
    height = int(np.clip(round((area / ratio) ** 0.5), 1, size[1]))
    left, top = int(rng.integers(size[0] - width + 1)), int(rng.integers(size[1] - height + 1))
    return left, top, width, height


def _filling(width: int, height: int, rng: Generator) -> Image.Image:
    if rng.random() < 0.5:
        colour = tuple(int(value) for value in rng.integers(0, 256, size=3))
        return Image.new("RGB", (width, height), colour)
    return Image.fromarray(rng.integers(0, 256, size=(height, width, 3), dtype=np.uint8))
