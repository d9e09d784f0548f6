"""Augmentations that move a picture and its faces together; the table AUGMENTATIONS names them.

Crops, colours, padding and mirror follow RetinaFace's published preprocessing. All randomness
comes from the generator given, so that a sample depends on (seed, epoch, index) alone.

Differs from the published order: what is larger than the network's input is made as small right
after the crop, not at the end, so that nothing works on pixels that nobody will see.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageOps

from featherface.data.augmentation.colours import draw_distortion
from featherface.data.augmentation.copy_paste import compose
from featherface.data.augmentation.erasing import erase
from featherface.data.augmentation.mixing import cutmix, mixup, mosaic
from featherface.data.augmentation.policy import POLICY
from featherface.data.sample import Sample, centred_in, cut, drawn_filter, resize, scaled, squared

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.random import Generator

    Augment = Callable[[Sample, Generator], Sample]

__all__ = ["AUGMENTATIONS", "Sample", "augmented", "crop", "distort", "mirror", "pad", "resize"]

CROP_ATTEMPTS = 250
CHANCE = 0.5
"""Of what mixes, pastes or erases, each time a picture is seen."""
CUTS = ("crop", "zoom-crop")
"""Entries of AUGMENTATIONS, the first, that choose which part of a picture is seen."""
MIRRORED_POINTS = [2, 3, 0, 1, 4, 5, 8, 9, 6, 7]
"""Left and right change places."""


def crop(sample: Sample, rng: Generator) -> Sample:
    """Cut out a random square that holds a face whole; faces with their centre inside stay.

    Boxes are clipped to the square. Where no square is found the sample stays as it is.
    """
    return _crop(sample, rng, sample.crop_scales)


def zoom_crop(sample: Sample, rng: Generator) -> Sample:
    """Cut as `crop` does, with squares too that reach beyond the picture: faces get smaller.

    As SCRFD does (Guo et al., 2021, https://arxiv.org/abs/2105.04714).
    """
    return _crop(sample, rng, sample.zoom_scales)


def _crop(sample: Sample, rng: Generator, scales: tuple[float, ...]) -> Sample:
    if not len(sample.boxes):
        return sample
    width, height = sample.size
    for _ in range(CROP_ATTEMPTS):
        scale = scales[int(rng.integers(len(scales)))]
        side = max(1, int(scale * min(width, height)))
        left, top = (_offset(extent, side, rng) for extent in (width, height))
        square = np.array([left, top, left + side, top + side], dtype=np.float32)
        low, high = sample.boxes[:, :2], sample.boxes[:, 2:]
        if ((low >= square[:2]) & (high <= square[2:])).all(axis=1).any():
            return cut(sample, square, centred_in(sample.boxes, square))
    return sample


def _offset(extent: int, side: int, rng: Generator) -> int:
    """Choose where a window of SIDE begins: in the picture, or around it where it is larger."""
    return int(rng.integers(min(0, extent - side), max(0, extent - side) + 1))


def distort(sample: Sample, rng: Generator) -> Sample:
    """Change brightness, contrast, saturation and hue, each half of the time."""
    return replace(sample, picture=draw_distortion(rng).apply(sample.picture))


def pad(sample: Sample, rng: Generator) -> Sample:
    """Fill up to a square at the right or bottom with the mean colour."""
    del rng  # nothing random, but every entry has the same form
    return squared(sample)


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


def auto(sample: Sample, rng: Generator) -> Sample:
    """Apply one policy of POLICY, drawn at random, each of its steps by its own chance."""
    for name, chance in POLICY[int(rng.integers(len(POLICY)))]:
        if rng.random() < chance:
            sample = OPERATIONS[name](sample, rng)
    return sample


OPERATIONS: dict[str, Augment] = {
    "distort": distort,
    "mosaic": mosaic,
    "mixup": mixup,
    "cutmix": cutmix,
    "compose": compose,
    "mirror": mirror,
    "erase": erase,
}
"""What keeps the picture's size, without any chance of being left out."""


def _sometimes(augment: Augment) -> Augment:
    return lambda sample, rng: augment(sample, rng) if rng.random() < CHANCE else sample


AUGMENTATIONS: dict[str, Augment] = {
    "crop": crop,
    "zoom-crop": zoom_crop,
    "distort": distort,
    "pad": pad,
    "mosaic": _sometimes(mosaic),
    "mixup": _sometimes(mixup),
    "cutmix": _sometimes(cutmix),
    "compose": _sometimes(compose),
    "mirror": mirror,
    "erase": _sometimes(erase),
    "auto": auto,
}
"""In the order in which they are applied."""


def augmented(sample: Sample, names: Collection[str], side: int, rng: Generator) -> Sample:
    """Apply those AUGMENTATIONS that are in NAMES, and make SAMPLE SIDE x SIDE pixels large."""
    chosen = [name for name in AUGMENTATIONS if name in names]
    for name in chosen:
        if name in CUTS:
            sample = AUGMENTATIONS[name](sample, rng)
    sample = _shrunk(sample, side, rng, squares="pad" in chosen)
    for name in chosen:
        if name not in CUTS:
            sample = AUGMENTATIONS[name](sample, rng)
    return resize(sample, side, rng)


def _shrunk(sample: Sample, side: int, rng: Generator, *, squares: bool) -> Sample:
    """Make SAMPLE no larger than SIDE, by the filters of `resize`, where it will be a square.

    Without that, the end would stretch what was resized here: each pixel is resized once.
    """
    width, height = sample.size
    if max(width, height) <= side or not (squares or width == height):
        return sample
    return scaled(sample, side / max(width, height), drawn_filter(rng))
