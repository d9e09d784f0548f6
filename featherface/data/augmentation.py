"""Changing a picture and its faces together, as the official training does.

Crops, colours, padding and mirror follow RetinaFace's published preprocessing. All randomness
comes from the generator given, so that a sample depends on (seed, epoch, index) alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

CROP_ATTEMPTS = 250
PAD_COLOUR = (123, 117, 104)
"""Red, green, blue of the pixel mean: zero for the network."""
MIRRORED_POINTS = [2, 3, 0, 1, 4, 5, 8, 9, 6, 7]
"""Left and right change places."""
RESAMPLING = (
    Image.Resampling.NEAREST,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.BOX,
    Image.Resampling.LANCZOS,
)


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture with its faces; positions in pixels."""

    picture: Image.Image
    """RGB."""
    boxes: NDArray[np.float32]
    """(n, 4) corners."""
    landmarks: NDArray[np.float32]
    """(n, 10), NaN where unknown."""
    crop_scales: tuple[float, ...] = (0.3, 0.45, 0.6, 0.8, 1.0)
    """Sides of the square crops, shares of the short side."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.picture.size


def crop(sample: Sample, rng: Generator) -> Sample:
    """Cut out a random square that holds a face whole; faces with their centre inside stay.

    Boxes are clipped to the square. Where no square is found the sample stays as it is.
    """
    if not len(sample.boxes):
        return sample
    width, height = sample.size
    for _ in range(CROP_ATTEMPTS):
        scale = sample.crop_scales[int(rng.integers(len(sample.crop_scales)))]
        side = max(1, int(scale * min(width, height)))
        left, top = (int(rng.integers(0, extent - side + 1)) for extent in (width, height))
        square = np.array([left, top, left + side, top + side], dtype=np.float32)
        low, high = sample.boxes[:, :2], sample.boxes[:, 2:]
        if not ((low >= square[:2]) & (high <= square[2:])).all(axis=1).any():
            continue
        centres = (low + high) / 2
        kept = np.all((square[:2] < centres) & (centres < square[2:]), axis=1)
        return _cut(sample, square, kept)
    return sample


def _cut(sample: Sample, square: NDArray[np.float32], kept: NDArray[np.bool_]) -> Sample:
    boxes = np.clip(sample.boxes[kept], np.tile(square[:2], 2), np.tile(square[2:], 2))
    left, top, right, bottom = (int(value) for value in square)
    return replace(
        sample,
        picture=sample.picture.crop((left, top, right, bottom)),
        boxes=boxes - np.tile(square[:2], 2),
        landmarks=sample.landmarks[kept] - np.tile(square[:2], 5),
    )


def distort(sample: Sample, rng: Generator) -> Sample:
    """Change brightness, contrast, saturation and hue, each half of the time."""
    contrast_last = rng.random() < 0.5
    picture = _brightness(sample.picture, rng)
    if not contrast_last:
        picture = _contrast(picture, rng)
    picture = _colours(picture, rng)
    if contrast_last:
        picture = _contrast(picture, rng)
    return replace(sample, picture=picture)


def _brightness(picture: Image.Image, rng: Generator) -> Image.Image:
    return _levels(picture, 1.0, float(rng.uniform(-32, 32))) if rng.random() < 0.5 else picture


def _contrast(picture: Image.Image, rng: Generator) -> Image.Image:
    return _levels(picture, float(rng.uniform(0.5, 1.5)), 0.0) if rng.random() < 0.5 else picture


def _levels(picture: Image.Image, factor: float, shift: float) -> Image.Image:
    table = np.clip(np.arange(256) * factor + shift, 0, 255).astype(int).tolist()
    return picture.point(table * 3)


def _colours(picture: Image.Image, rng: Generator) -> Image.Image:
    turned, scaled = rng.random() < 0.5, rng.random() < 0.5
    if not (turned or scaled):
        return picture
    levels = np.arange(256)
    hue = (levels + int(rng.integers(-25, 26)) * turned) % 256  # 18 of 180 steps, in 256
    factor = float(rng.uniform(0.5, 1.5)) if scaled else 1.0
    saturation = np.clip(levels * factor, 0, 255).astype(int)
    table = [*hue.tolist(), *saturation.tolist(), *levels.tolist()]
    return picture.convert("HSV").point(table).convert("RGB")


def pad(sample: Sample, rng: Generator) -> Sample:
    """Fill up to a square at the right or bottom with the mean colour."""
    del rng  # nothing random, but every entry has the same form
    width, height = sample.size
    if width == height:
        return sample
    square = Image.new("RGB", (max(width, height),) * 2, PAD_COLOUR)
    square.paste(sample.picture)
    return replace(sample, picture=square)


def mirror(sample: Sample, rng: Generator) -> Sample:
    """Half of the time, exchange left and right, of the landmarks too."""
    if rng.random() < 0.5:
        return sample
    width = sample.size[0]
    boxes = sample.boxes.copy()
    boxes[:, [0, 2]] = width - sample.boxes[:, [2, 0]]
    landmarks = sample.landmarks.copy()
    landmarks[:, ::2] = width - landmarks[:, ::2]
    return replace(
        sample,
        picture=ImageOps.mirror(sample.picture),
        boxes=boxes,
        landmarks=landmarks[:, MIRRORED_POINTS],
    )


AUGMENTATIONS: dict[str, Callable[[Sample, Generator], Sample]] = {
    "crop": crop,
    "distort": distort,
    "pad": pad,
    "mirror": mirror,
}
"""In the order in which they are applied."""


def resize(sample: Sample, size: int, rng: Generator | None = None) -> Sample:
    """Stretch to SIZE × SIZE pixels; with a generator by a random filter, as officially done."""
    width, height = sample.size
    chosen = RESAMPLING[int(rng.integers(len(RESAMPLING)))] if rng else Image.Resampling.BILINEAR
    factor = np.array([size / width, size / height], dtype=np.float32)
    same = width == height == size
    return replace(
        sample,
        picture=sample.picture if same else sample.picture.resize((size, size), chosen),
        boxes=sample.boxes * np.tile(factor, 2),
        landmarks=sample.landmarks * np.tile(factor, 5),
    )
