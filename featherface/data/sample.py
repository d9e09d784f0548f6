"""A picture with its faces, and the affine transforms that move both together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    Boxes = NDArray[np.float32]
    """(n, 4) corners in pixels."""

PAD_COLOUR = (123, 117, 104)
"""Red, green, blue of the pixel mean: zero for the network."""
EDGE = 1e-3
"""Pixels from an edge that moving a picture about may round away."""
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
    zoom_scales: tuple[float, ...] = (0.3, 0.45, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0)
    """The same for `zoom-crop`, where shares above 1 reach beyond the picture."""
    partner: Callable[[Generator], Sample] | None = None
    """Draws another picture of the split, for what mixes pictures; None: there is none."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.picture.size


def drawn_filter(rng: Generator) -> Image.Resampling:
    """Draw one of RESAMPLING."""
    return RESAMPLING[int(rng.integers(len(RESAMPLING)))]


def resize(sample: Sample, size: int, rng: Generator | None = None) -> Sample:
    """Stretch to SIZE × SIZE pixels; with a generator by a random filter, as officially done."""
    width, height = sample.size
    chosen = drawn_filter(rng) if rng else Image.Resampling.BILINEAR
    factor = np.array([size / width, size / height], dtype=np.float32)
    same = width == height == size
    return replace(
        sample,
        picture=sample.picture if same else sample.picture.resize((size, size), chosen),
        boxes=sample.boxes * np.tile(factor, 2),
        landmarks=sample.landmarks * np.tile(factor, 5),
    )


def squared(sample: Sample) -> Sample:
    """Fill up to a square at the right or bottom with the mean colour."""
    width, height = sample.size
    if width == height:
        return sample
    square = Image.new("RGB", (max(width, height),) * 2, PAD_COLOUR)
    square.paste(sample.picture)
    return replace(sample, picture=square)


def cut(sample: Sample, area: NDArray[np.float32], kept: NDArray[np.bool_]) -> Sample:
    """Cut out AREA (4,; whole pixels), clipping the boxes of the KEPT (n,) faces to it.

    What of AREA lies beyond the picture has the mean colour.
    """
    boxes = np.clip(sample.boxes[kept], np.tile(area[:2], 2), np.tile(area[2:], 2))
    return replace(
        sample,
        picture=_window(sample.picture, area),
        boxes=boxes - np.tile(area[:2], 2),
        landmarks=sample.landmarks[kept] - np.tile(area[:2], 5),
    )


def _window(picture: Image.Image, area: NDArray[np.float32]) -> Image.Image:
    left, top, right, bottom = (int(value) for value in area)
    if left >= 0 and top >= 0 and right <= picture.width and bottom <= picture.height:
        return picture.crop((left, top, right, bottom))
    canvas = Image.new("RGB", (right - left, bottom - top), PAD_COLOUR)
    canvas.paste(picture, (-left, -top))
    return canvas


def scaled(
    sample: Sample, factor: float, resampling: Image.Resampling = Image.Resampling.BILINEAR
) -> Sample:
    """Return the sample FACTOR times as large, at least one pixel."""
    width, height = (max(1, round(value * factor)) for value in sample.size)
    ratio = np.array([width / sample.size[0], height / sample.size[1]], dtype=np.float32)
    return replace(
        sample,
        picture=sample.picture.resize((width, height), resampling),
        boxes=sample.boxes * np.tile(ratio, 2),
        landmarks=sample.landmarks * np.tile(ratio, 5),
    )


def pasted(
    base: Sample, patch: Sample, corner: tuple[int, int], alpha: Image.Image | None = None
) -> Sample:
    """Put PATCH with its faces onto BASE, its left top at CORNER; ALPHA ("L") where it shows."""
    picture = base.picture.copy()
    picture.paste(patch.picture, corner, alpha)
    shift = np.array(corner, dtype=np.float32)
    return replace(
        base,
        picture=picture,
        boxes=np.concatenate([base.boxes, patch.boxes + np.tile(shift, 2)]),
        landmarks=np.concatenate([base.landmarks, patch.landmarks + np.tile(shift, 5)]),
    )


def keep(sample: Sample, kept: NDArray[np.bool_]) -> Sample:
    """Return the sample with the KEPT (n,) faces only; the picture stays."""
    return replace(sample, boxes=sample.boxes[kept], landmarks=sample.landmarks[kept])


def grown(boxes: Boxes, share: float) -> Boxes:
    """Return BOXES (n, 4) grown on each side by SHARE of their longer side."""
    margin = share * (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1)


def touching(first: Boxes, second: Boxes) -> NDArray[np.bool_]:
    """Tell (n, m) which boxes of FIRST (n, 4) and SECOND (m, 4) share an area."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return np.asarray((low < high).all(axis=2))


def within(boxes: Boxes, area: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell (n,) which BOXES (n, 4) lie in AREA (4,) whole."""
    return np.asarray(((boxes[:, :2] >= area[:2]) & (boxes[:, 2:] <= area[2:])).all(axis=1))


def forget_outside(sample: Sample) -> Sample:
    """Make the landmarks of faces unknown that have one of them outside the picture.

    On the right or lower edge they are outside: the pixel there is the next picture's.
    """
    points = sample.landmarks.reshape(-1, 5, 2)
    far = np.array(sample.size) - EDGE
    inside = ((points >= 0) & (points <= far)).reshape(-1, 10).all(axis=1)
    landmarks = sample.landmarks.copy()
    landmarks[~inside] = np.nan
    return replace(sample, landmarks=landmarks)


def centred_in(boxes: Boxes, area: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell (n,) which BOXES (n, 4) have their centre in AREA (4,)."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.asarray(np.all((area[:2] < centres) & (centres < area[2:]), axis=1))
