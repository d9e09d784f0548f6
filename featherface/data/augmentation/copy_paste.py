"""Copy-paste augmentation for faces.

Ghiasi et al., 2020, https://arxiv.org/abs/2012.07177, paste along masks; there are none here, so
the edge of an oval around the face fades out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageStat

from featherface.data.sample import Sample, cut, grown, pasted, scaled, touching, within

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

ATTEMPTS = 20
MOST = 4
"""Faces pasted into one picture."""
MARGIN = 0.25
"""Of a face's longer side, cut out with it and faded."""
SMALLEST, LARGEST = 10, 0.3
"""Longer side of a pasted face: pixels, and share of the picture's short side."""
ENLARGED = 1.5
"""Most that a face is blown up."""


def compose(sample: Sample, rng: Generator) -> Sample:
    """Paste one to four faces of other pictures where they touch no face that is there."""
    if sample.partner is None:
        return sample
    for _ in range(int(rng.integers(1, MOST + 1))):
        face = _face(sample.partner(rng), rng)
        if face is not None:
            sample = put(sample, face, rng)
    return sample


def put(scene: Sample, face: Sample, rng: Generator, largest: float = LARGEST) -> Sample:
    """Paste FACE, one face with a margin, into SCENE at a random size and free place.

    Its longer side is at most LARGEST times the scene's short side. SCENE comes back as it is
    where no place was found.
    """
    size = float((face.boxes[0, 2:] - face.boxes[0, :2]).max())
    highest = max(SMALLEST + 1.0, largest * min(scene.size))
    wanted = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(highest))))
    face = scaled(face, min(wanted / size, ENLARGED))
    room = np.subtract(scene.size, face.size)
    if (room < 0).any() or (face.boxes[:, 2:] - face.boxes[:, :2]).min() < SMALLEST / 2:
        return scene
    for _ in range(ATTEMPTS):
        corner = int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1))
        area = np.array([*corner, *np.add(corner, face.size)], dtype=np.float32)
        if not touching(grown(scene.boxes, MARGIN / 2), area[None]).any():
            return pasted(scene, _lit(face, scene, area), corner, _oval(face))
    return scene


def _face(other: Sample, rng: Generator) -> Sample | None:
    """Cut a face out that has its margin to itself; None where there is none."""
    around = grown(other.boxes, MARGIN)
    bounds = np.array([0, 0, *other.size], dtype=np.float32)
    crowded = touching(around, other.boxes).sum(axis=1) > 1
    large = (other.boxes[:, 2:] - other.boxes[:, :2]).min(axis=1, initial=np.inf) >= SMALLEST
    free = np.flatnonzero(within(around, bounds) & ~crowded & large)
    if not len(free):
        return None
    chosen = int(free[int(rng.integers(len(free)))])
    area = np.concatenate([np.floor(around[chosen, :2]), np.ceil(around[chosen, 2:])])
    area = np.clip(area, 0, np.tile(bounds[2:], 2)).astype(np.float32)
    return cut(other, area, np.arange(len(other.boxes)) == chosen)


def _oval(face: Sample) -> Image.Image:
    """Return where the pasted picture shows: whole on the face, nowhere at its edge."""
    left, top, right, bottom = face.boxes[0].tolist()
    margin = min(left, top, face.size[0] - right, face.size[1] - bottom)
    reach = max(margin, 0.0) * 0.55
    layer = Image.new("L", face.size)
    radius = 0.42 * min(right - left, bottom - top)
    shape = (left - reach, top - reach, right + reach, bottom + reach)
    ImageDraw.Draw(layer).rounded_rectangle(shape, radius + reach, 255)
    return layer.filter(ImageFilter.GaussianBlur(max(margin, 0.0) * 0.16))


def _lit(face: Sample, scene: Sample, area: NDArray[np.float32]) -> Sample:
    """Bring FACE's brightness half of the way to that of the AREA that it will cover."""
    left, top, right, bottom = (int(value) for value in area)
    there = ImageStat.Stat(scene.picture.crop((left, top, right, bottom)).convert("L")).mean[0]
    here = ImageStat.Stat(face.picture.convert("L")).mean[0]
    gain = float(np.clip(np.sqrt((there + 16) / (here + 16)), 0.6, 1.4))
    return replace(
        face, picture=face.picture.point([min(255, round(v * gain)) for v in range(256)] * 3)
    )
