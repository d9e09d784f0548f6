"""Known data sets: is a ground truth WIDER FACE's, or a part of it?

A picture is known by its name and its face boxes together. `widerface_val.digests` holds six bytes
of the SHA-256 of each of the 3,226 entries of WIDER FACE's official validation annotation, and
nothing else of it. A set of which every entry is among them is WIDER FACE's validation set or a
part of it, whatever its folder is called; one that was relabelled, scaled or mixed is not. The
pictures themselves are not looked at. Entries of the official .mat lists and of the text
annotation are equal; boxes without width or height, which some readers leave out, don't count.

The training set has no such list: nothing here tells it from another.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featherface.evaluation.ground_truth import GroundTruth

DIGESTS = Path(__file__).with_name("widerface_val.digests")
LENGTH = 6
"""Bytes of a digest: one of a million foreign pictures is mistaken with probability 1e-5."""


def is_widerface_val(truth: GroundTruth) -> bool:
    """Whether every picture of TRUTH is, with its faces, one of WIDER FACE's validation set."""
    entries = zip(truth.images, truth.boxes, strict=True)
    return bool(truth.images) and all(entry(*each) in _official() for each in entries)


def entry(name: str, boxes: NDArray[np.float64]) -> bytes:
    """Return the digest of one picture.

    Args:
        name: `event/name` without file ending.
        boxes: (n, 4) x, y, width, height in whole pixels.
    """
    seen = boxes[(boxes[:, 2:] > 0).all(axis=1)]
    content = name.encode("utf-8") + b"\0" + np.rint(seen).astype("<i4").tobytes()
    return hashlib.sha256(content).digest()[:LENGTH]


@cache
def _official() -> frozenset[bytes]:
    content = DIGESTS.read_bytes()
    return frozenset(content[at : at + LENGTH] for at in range(0, len(content), LENGTH))
