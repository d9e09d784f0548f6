"""Colour jitter: brightness, contrast, hue and saturation, as RetinaFace's training varies them.

Hue turns and saturation grows in HSV, as the official preprocessing has it, but no picture is
brought there: on the hexagon of hues a turn moves the middle one of a pixel's three numbers by a
share of the distance between its largest and its smallest, and what goes beyond one of these comes
back in another. That is exact where HSV in whole numbers rounds twice, and about three times as
fast as Pillow's conversions. A test compares it with `colorsys`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    Numbers = NDArray[np.int16]
    """(n,) from 0 to 255."""

BLOCK = 2**14
"""Pixels at a time, so that what is between stays in the processor's cache."""
TURNS = 256
"""Steps of the whole circle of hues."""


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """What is done to the colours of one picture; as it stands here, nothing."""

    shift: float = 0.0
    """Added to every number: brightness."""
    factor: float = 1.0
    """By which every number is multiplied: contrast."""
    contrast_last: bool = False
    """Contrast changes after the colours, not before them."""
    turn: int = 0
    """Of the hue, in TURNS; at most a sixth of them either way."""
    saturation: float = 1.0
    """By which saturation is multiplied."""

    def apply(self, picture: Image.Image) -> Image.Image:
        """Return PICTURE (RGB) so changed."""
        bright, contrast = _levels(1.0, self.shift), _levels(self.factor, 0.0)
        before = bright if self.contrast_last else contrast[bright]
        picture = _mapped(picture, before)
        picture = recoloured(picture, self.turn, self.saturation)
        return _mapped(picture, contrast) if self.contrast_last else picture


def draw_distortion(rng: Generator) -> Distortion:
    """Draw each of the four changes half of the time, by as much as officially."""
    contrast_last = rng.random() < 0.5
    shift = float(rng.uniform(-32, 32)) if rng.random() < 0.5 else 0.0
    factor = float(rng.uniform(0.5, 1.5)) if rng.random() < 0.5 else 1.0
    turn = int(rng.integers(-25, 26)) if rng.random() < 0.5 else 0  # 18 of 180 steps, in 256
    saturation = float(rng.uniform(0.5, 1.5)) if rng.random() < 0.5 else 1.0
    return Distortion(
        shift=shift,
        factor=factor,
        contrast_last=contrast_last,
        turn=turn,
        saturation=saturation,
    )


def _levels(factor: float, shift: float) -> NDArray[np.uint8]:
    """Return (256,) what becomes of each number: whole again, as the official source cuts it."""
    levels: NDArray[np.uint8] = np.clip(np.arange(256) * factor + shift, 0, 255).astype(np.uint8)
    return levels


def _mapped(picture: Image.Image, levels: NDArray[np.uint8]) -> Image.Image:
    if np.array_equal(levels, np.arange(256)):
        return picture
    return picture.point(levels.tolist() * 3)


def recoloured(picture: Image.Image, turn: int, saturation: float) -> Image.Image:
    """Return PICTURE (RGB) with its hues turned by TURN of TURNS and so many times the SATURATION.

    Saturation ends at 1; the largest of a pixel's three numbers stays as it is. Each number is
    within 1.25 of the exact one, and where only one of the two changes within a half.
    """
    if not turn and saturation == 1.0:
        return picture
    planes = [np.asarray(band).reshape(-1) for band in picture.split()]
    changed = [np.empty_like(plane) for plane in planes]
    for start in range(0, len(planes[0]), BLOCK):
        part = slice(start, start + BLOCK)
        pixels = [plane[part].astype(np.int16) for plane in planes]
        for plane, numbers in zip(changed, _recoloured(pixels, turn, saturation), strict=True):
            plane[part] = numbers
    bands = [Image.fromarray(plane.reshape(picture.height, -1)) for plane in changed]
    return Image.merge("RGB", bands)


def _recoloured(pixels: Sequence[Numbers], turn: int, saturation: float) -> Iterator[Numbers]:
    """Yield what becomes of red, green and blue."""
    high = np.maximum(np.maximum(pixels[0], pixels[1]), pixels[2])
    range_ = high - np.minimum(np.minimum(pixels[0], pixels[1]), pixels[2])
    below = _turned(pixels, high, range_, turn) if turn else [high - channel for channel in pixels]
    if saturation == 1.0:
        yield from (high - channel for channel in below)
        return
    ratio: NDArray[np.float32] | np.float32 = np.float32(saturation)
    if saturation > 1.0:
        most = np.divide(high, np.maximum(range_, 1), dtype=np.float32)  # nothing falls below 0
        ratio = np.minimum(most, ratio)
    for channel in below:
        distance = np.multiply(channel, ratio, dtype=np.float32)
        np.rint(distance, out=distance)
        yield high - distance.astype(np.int16)


def _turned(
    pixels: Sequence[Numbers], high: Numbers, range_: Numbers, turn: int
) -> Iterator[Numbers]:
    """Yield how far red, green and blue lie below HIGH once the hue is turned.

    With R the range between the largest and the smallest number, a hue is a distance from red on a
    circle of 6 R, and a number falls from HIGH to its least between R and 2 R from its own hue.
    """
    red, green, blue = pixels
    twice = range_ + range_
    other = np.minimum(high - red, 1)  # 0 where red is the largest, else 1: no masks, 20 times
    blues = np.minimum(high - green, 1)  # as slow
    from_red, from_green, from_blue = green - blue, blue - red + twice, red - green - twice
    hue = from_green + blues * (from_blue - from_green)
    hue = from_red + other * (hue - from_red)
    step = np.multiply(range_, np.float32(6 * turn / TURNS), dtype=np.float32)
    hue += np.rint(step, out=step).astype(np.int16)
    thrice = twice + range_
    for away in (hue, hue - twice, hue + twice):
        # the distance from the number's own hue, the shorter way round, less R
        distance = np.abs(away)
        np.subtract(distance, thrice, out=distance)
        np.abs(distance, out=distance)
        np.subtract(twice, distance, out=distance)
        np.maximum(distance, 0, out=distance)
        yield np.minimum(distance, range_, out=distance)
