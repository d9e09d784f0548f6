"""Difficulty of a picture, from its annotation alone, for curriculum learning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featherface.data.annotation import ATTRIBUTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featherface.data.annotation import ImageAnnotation

EASY_SIZE = 128.0
"""Pixels of a face's side from which it is as easy as it gets."""
WEIGHTS = {"blur": 0.5, "occlusion": 0.5, "pose": 0.5, "illumination": 0.25, "expression": 0.1}
"""What an attribute adds at its highest value, in halvings of a face's size beyond EASY_SIZE."""
HIGHEST = {"blur": 2, "occlusion": 2}
"""Highest codes of the attributes that have more than two."""


def difficulty(image: ImageAnnotation) -> float:
    """Return the mean difficulty of the picture's faces; 0 where there are none.

    A face gets one more for each halving of its size below EASY_SIZE, and what WEIGHTS says for
    blur, occlusion and the like, where the annotation tells.
    """
    if not len(image.boxes):
        return 0.0
    sides = np.sqrt(np.prod(image.boxes[:, 2:] - image.boxes[:, :2], axis=1)).clip(1.0)
    values = np.log2(EASY_SIZE / sides).clip(0.0)
    for name, weight in WEIGHTS.items():
        codes = image.attributes[:, ATTRIBUTES.index(name)].clip(0)
        values = values + weight * codes / HIGHEST.get(name, 1)
    return float(values.mean())


def easiest_first(images: tuple[ImageAnnotation, ...]) -> NDArray[np.int64]:
    """Return the indices (n,) of IMAGES by rising difficulty, equals in their order."""
    values = np.array([difficulty(image) for image in images])
    return np.argsort(values, kind="stable").astype(np.int64)
