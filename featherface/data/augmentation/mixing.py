"""Mosaic and mixup: pictures made of several, in which every face that shows keeps its box.

MixUp: Zhang et al., 2017, https://arxiv.org/abs/1710.09412; CutMix: Yun et al., 2019,
https://arxiv.org/abs/1905.04899; mosaic: Bochkovskiy et al., 2020,
https://arxiv.org/abs/2004.10934. All three are changed here so that they spare faces.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from featherface.data.sample import (
    PAD_COLOUR,
    Sample,
    centred_in,
    cut,
    forget_outside,
    grown,
    keep,
    pasted,
    scaled,
    touching,
    within,
)

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from featherface.data.sample import Boxes

ATTEMPTS = 20
MARGIN = 0.1
"""Of a face's longer side, kept free around it."""
SMALLEST = 6
"""Pixels of the shorter side below which a shrunken face is not pasted."""


def another(sample: Sample, rng: Generator) -> Sample | None:
    """Draw a partner, brought whole into SAMPLE's size; None where there is none."""
    if sample.partner is None:
        return None
    other = sample.partner(rng)
    factor = min(sample.size[0] / other.size[0], sample.size[1] / other.size[1])
    area = np.array([0, 0, *sample.size], dtype=np.float32)
    return cut(scaled(other, factor), area, np.ones(len(other.boxes), dtype=np.bool_))


def mixup(sample: Sample, rng: Generator) -> Sample:
    """Let another picture shine through, but not through faces, and show its faces whole.

    Faces of the other picture that would lie on faces of this one are left out: there it does
    not shine through at all.
    """
    other = another(sample, rng)
    if other is None:
        return sample
    own, theirs = grown(sample.boxes, MARGIN), grown(other.boxes, MARGIN)
    hidden = touching(theirs, own).any(axis=1)
    clear = np.asarray(~hidden & ~touching(theirs, theirs[hidden]).any(axis=1))
    share = np.zeros(sample.size[::-1], dtype=np.float32)
    share[:] = rng.uniform(0.3, 0.5)
    for boxes, value in ((theirs[~clear], 0), (theirs[clear], 1), (own, 0)):
        _paint(share, boxes, value)
    soft = Image.fromarray((share * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(max(sample.size) / 96)
    )
    share[:] = np.asarray(soft) / 255
    for boxes, value in ((other.boxes[~clear], 0), (other.boxes[clear], 1), (sample.boxes, 0)):
        _paint(share, boxes, value)  # the blur stays outside the faces
    alpha = Image.fromarray(np.rint(share * 255).astype(np.uint8))
    return pasted(sample, keep(other, clear), (0, 0), alpha)


def _paint(share: NDArray[np.float32], boxes: Boxes, value: float) -> None:
    """Set what BOXES (n, 4) cover of SHARE (H, W)."""
    for left, top, right, bottom in boxes:
        rows = slice(max(0, int(top)), max(0, int(np.ceil(bottom))))
        share[rows, max(0, int(left)) : max(0, int(np.ceil(right)))] = value


def cutmix(sample: Sample, rng: Generator) -> Sample:
    """Put a piece of another picture here: a face with more around it the smaller it is.

    The piece cuts no face, at home or where it goes; faces that it covers whole are gone.
    """
    other = another(sample, rng)
    if other is None or not len(other.boxes):
        return sample
    for _ in range(ATTEMPTS):
        piece = _piece(other, rng)
        if piece is None or (np.array(piece.size) > np.array(sample.size)).any():
            continue
        corner = _corner(sample, piece, rng)
        area = np.array([*corner, *np.add(corner, piece.size)], dtype=np.float32)
        covered = within(sample.boxes, area)
        cut_off = touching(grown(sample.boxes, MARGIN), area[None])[:, 0] & ~covered
        if not cut_off.any():
            return pasted(keep(sample, ~covered), piece, corner)
    return sample


def _piece(other: Sample, rng: Generator) -> Sample | None:
    """Cut a face out of OTHER with its neighbours, and scale it; None where it gets too large."""
    side = max(other.size)
    chosen = other.boxes[int(rng.integers(len(other.boxes)))]
    size = float((chosen[2:] - chosen[:2]).max())
    around = float(np.clip(0.1 * side / max(size, 1.0), 0.3, 2.0))  # small faces carry more
    area = _whole(grown(chosen[None], around)[0], other)
    if area is None:
        return None
    kept = within(other.boxes, area)
    piece = cut(other, area, kept)
    wanted = float(np.exp(rng.uniform(np.log(side / 32), np.log(side / 4))))
    factor = float(np.clip(wanted / max(size, 1.0), 0.25, 1.5))
    piece = scaled(piece, min(factor, 0.6 * side / max(piece.size)))
    legible = (piece.boxes[:, 2:] - piece.boxes[:, :2]).min() >= SMALLEST
    return piece if legible else None


def _whole(area: NDArray[np.float32], sample: Sample) -> NDArray[np.float32] | None:
    """Grow AREA until it cuts no face; None where the picture's edge or size forbids that."""
    bounds = np.array([0, 0, *sample.size], dtype=np.float32)
    for _ in range(ATTEMPTS):
        area = np.concatenate([np.floor(area[:2]), np.ceil(area[2:])])
        area = np.clip(area, np.tile(bounds[:2], 2), np.tile(bounds[2:], 2)).astype(np.float32)
        touched = sample.boxes[touching(sample.boxes, area[None])[:, 0]]
        if within(touched, area).all():
            return area if len(touched) else None
        low, high = touched[:, :2].min(axis=0), touched[:, 2:].max(axis=0)
        if (low < 0).any() or (high > bounds[2:]).any():
            return None
        area = np.concatenate([np.minimum(area[:2], low), np.maximum(area[2:], high)])
    return None


def _corner(sample: Sample, piece: Sample, rng: Generator) -> tuple[int, int]:
    """Choose where PIECE goes so that it lies in the picture."""
    room = np.subtract(sample.size, piece.size)
    return int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1))


def mosaic(sample: Sample, rng: Generator) -> Sample:
    """Make one picture of four that meet in a random point; faces at the seams are few.

    Faces with their centre in a tile stay, as in the official crop, and what is left of others is
    painted over; landmarks beyond the tile are forgotten.
    """
    if sample.partner is None:
        return sample
    width, height = sample.size
    x, y = (max(1, int(extent * rng.uniform(0.35, 0.65))) for extent in (width, height))
    canvas = replace(
        sample,
        picture=Image.new("RGB", sample.size, PAD_COLOUR),
        boxes=sample.boxes[:0],
        landmarks=sample.landmarks[:0],
    )
    corners = [(0, 0), (x, 0), (0, y), (x, y)]
    first = int(rng.integers(4))
    for number, corner in enumerate(corners):
        room = (width - x if corner[0] else x, height - y if corner[1] else y)
        given = sample if number == first else sample.partner(rng)
        canvas = pasted(canvas, _tile(given, room, rng), corner)
    return canvas


def _tile(sample: Sample, room: tuple[int, int], rng: Generator) -> Sample:
    """Return a piece of ROOM's width and height: of eight the one that cuts the fewest faces."""
    cover = max(room[0] / sample.size[0], room[1] / sample.size[1])
    large = scaled(sample, cover * float(rng.uniform(1.0, 1.4)) + 1e-3)
    pieces = []
    for _ in range(8):
        slack = np.maximum(np.subtract(large.size, room), 0)
        left, top = int(rng.integers(slack[0] + 1)), int(rng.integers(slack[1] + 1))
        area = np.array([left, top, left + room[0], top + room[1]], dtype=np.float32)
        seen = touching(large.boxes, area[None])[:, 0]
        pieces.append((int((seen & ~within(large.boxes, area)).sum()), -int(seen.sum()), area))
    area = min(pieces, key=lambda piece: piece[:2])[2]
    seen = touching(large.boxes, area[None])[:, 0]
    kept = centred_in(large.boxes, area) & seen
    rests = large.boxes[seen & ~kept] - np.tile(area[:2], 2)
    return forget_outside(_painted_over(cut(large, area, kept), rests))


def _painted_over(sample: Sample, areas: Boxes) -> Sample:
    """Fill what AREAS (n, 4) cover, apart from the sample's own faces, with the mean colour."""
    if not len(areas):
        return sample
    share = np.zeros(sample.size[::-1], dtype=np.float32)
    for boxes, value in ((areas, 1), (sample.boxes, 0)):
        _paint(share, boxes, value)
    picture = sample.picture.copy()
    picture.paste(PAD_COLOUR, (0, 0), Image.fromarray((share * 255).astype(np.uint8)))
    return replace(sample, picture=picture)
