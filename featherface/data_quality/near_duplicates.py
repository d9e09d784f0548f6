"""Near duplicates by difference hash: a photograph in two splits makes an accuracy worthless.

A difference hash keeps whether each of a small picture's pixels is brighter than its neighbour:
to the right, and below. Scaling, compression and a change of brightness hardly touch it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from featherface.data.images import open_picture
from featherface.progress import Progress, never, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featherface.data.widerface import Split
    from featherface.progress import OnProgress, ShouldStop

SIDE = 8
BITS = 2 * SIDE * SIDE
NEAR = 10
"""Bits of `BITS` that two copies of one picture may differ in."""
FLAT = 4.0
"""Standard deviation of brightness (of 255) below which a picture says too little to compare."""
ALIKE = 0.97
"""Correlation of brightness from which two small pictures show the same."""
COARSE = 64
"""Pixels that a JPEG is decoded to at least, which is far quicker than to all of them."""
CHUNK = 512


@dataclass(frozen=True)
class DuplicatePair:
    """Two pictures that look like one."""

    first: str
    """Path in the first split's images folder."""
    second: str
    distance: int
    """Bits of `BITS` that differ."""


@dataclass(frozen=True, eq=False)
class PictureHash:
    """What is kept of a picture."""

    bits: NDArray[np.uint64]
    """(2,): brighter than the right neighbour, brighter than the one below."""
    thumbnail: NDArray[np.float32]
    """(SIDE + 1, SIDE + 1) brightness, mean 0 and deviation 1; zeros where the picture is flat."""


def hash_picture(path: Path) -> PictureHash:
    """Return the difference hash and the thumbnail of the picture in PATH.

    Raises:
        DataError: it can't be read.
    """
    small = (
        open_picture(path, coarse=COARSE)
        .convert("L")
        .resize((SIDE + 1, SIDE + 1), Image.Resampling.BOX)
    )
    pixels = np.asarray(small, dtype=np.float32)
    right = pixels[:SIDE, 1:] > pixels[:SIDE, :-1]
    below = pixels[1:, :SIDE] > pixels[:-1, :SIDE]
    bits = np.array([_pack(right), _pack(below)], dtype=np.uint64)
    spread = float(pixels.std())
    even = (pixels - pixels.mean()) / spread if spread >= FLAT else np.zeros_like(pixels)
    return PictureHash(bits, even)


def find_pairs(
    first: Split,
    second: Split,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> list[DuplicatePair]:
    """Return the pictures of FIRST and SECOND that look like one photograph, the nearest first.

    Stops early, with what was found among the pictures seen, when SHOULD_STOP says so.
    """
    total = len(first.images) + len(second.images)
    hashes: list[list[PictureHash]] = []
    done = 0
    for split in (first, second):
        of_split = []
        for image in split.images:
            if should_stop():
                break
            of_split.append(hash_picture(split.path(image)))
            done += 1
            on_progress(Progress("compare pictures", done, total))
        hashes.append(of_split)
    names = [[image.path for image in split.images] for split in (first, second)]
    pairs = [
        DuplicatePair(names[0][row], names[1][column], distance)
        for row, column, distance in near(*hashes)
    ]
    return sorted(pairs, key=lambda pair: (pair.distance, pair.first, pair.second))


def near(first: Sequence[PictureHash], second: Sequence[PictureHash]) -> list[tuple[int, int, int]]:
    """Return (place in FIRST, place in SECOND, differing bits) of those that look alike."""
    if not first or not second:
        return []
    rows, columns = (np.stack([each.bits for each in hashes]) for hashes in (first, second))
    pairs = []
    for start in range(0, len(rows), CHUNK):
        block = rows[start : start + CHUNK, None, :] ^ columns[None]  # (C, N, 2)
        distance = np.bitwise_count(block).sum(axis=2, dtype=np.int64)
        for row, column in np.argwhere(distance <= NEAR):
            left, right = first[start + row], second[column]
            if _same(left.thumbnail, right.thumbnail):
                pairs.append((start + int(row), int(column), int(distance[row, column])))
    return pairs


def _same(left: NDArray[np.float32], right: NDArray[np.float32]) -> bool:
    """Tell whether two evened thumbnails show the same; a flat one is like nothing."""
    if not left.any() or not right.any():
        return False
    return float((left * right).mean()) >= ALIKE


def _pack(bits: NDArray[np.bool_]) -> np.uint64:
    return np.uint64(int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big"))
