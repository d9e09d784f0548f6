"""Crops of single faces and false alarms, with some of their surroundings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    Box = tuple[float, float, float, float]  # x, y, width, height in pixels

SIDE = 192
"""Pixels of a crop."""
SMALLEST = 48
"""Pixels of the picture that a crop shows at least."""
AROUND = 2.4
"""Sides of a crop in sides of what it shows."""
TRUE = (86, 180, 233)
"""Colour of labelled faces."""
SEEN = (230, 159, 0)
"""Colour of detections; both after Okabe and Ito, told apart by colour-blind readers too."""
DARK, PALE = (16, 16, 16), (228, 228, 228)
GAP = 8


@dataclass(frozen=True)
class Scene:
    """One mistake and what lies around it."""

    target: Box
    """The face that was missed, or the false alarm."""
    missed: bool
    faces: tuple[Box, ...] = ()
    """Other labelled faces."""
    detections: tuple[Box, ...] = ()
    """Other detections that are sure enough."""


def region(target: Box) -> Box:
    """Return the square that a crop of TARGET shows; it may reach over the picture's border."""
    x, y, width, height = target
    side = max(AROUND * max(width, height), SMALLEST)
    return x + width / 2 - side / 2, y + height / 2 - side / 2, side, side


def touches(first: Box, second: Box) -> bool:
    """Whether two boxes share any pixel."""
    across = first[0] < second[0] + second[2] and second[0] < first[0] + first[2]
    down = first[1] < second[1] + second[3] and second[1] < first[1] + first[3]
    return across and down


def crop(picture: Image.Image, scene: Scene, side: int = SIDE) -> Image.Image:
    """Cut SCENE out of PICTURE (RGB): SIDE x SIDE pixels, faces and detections framed.

    What is meant has a thick frame. Beyond the picture's border the crop is pale.
    """
    left, top, size, _ = region(scene.target)
    ground = Image.new("RGB", (side, side), PALE)
    inside = (
        max(math.floor(left), 0),
        max(math.floor(top), 0),
        min(math.ceil(left + size), picture.width),
        min(math.ceil(top + size), picture.height),
    )
    scale = side / size
    if inside[0] < inside[2] and inside[1] < inside[3]:
        width, height = inside[2] - inside[0], inside[3] - inside[1]
        seen = picture.crop(inside).resize(
            (max(round(width * scale), 1), max(round(height * scale), 1)),
            Image.Resampling.BICUBIC,
        )
        ground.paste(seen, (round((inside[0] - left) * scale), round((inside[1] - top) * scale)))
    canvas = ImageDraw.Draw(ground)
    thin = max(side // 96, 1)
    for boxes, colour in ((scene.faces, TRUE), (scene.detections, SEEN)):
        for box in boxes:
            _frame(canvas, box, (left, top, scale), colour, thin)
    _frame(canvas, scene.target, (left, top, scale), TRUE if scene.missed else SEEN, 2 * thin)
    return ground


def sheet(crops: Sequence[Image.Image], columns: int = 6) -> Image.Image:
    """Lay CROPS out in rows, numbered from 1.

    At least one crop; all of one size.
    """
    side = crops[0].width
    across = min(columns, len(crops))
    down = math.ceil(len(crops) / across)
    size = across * (side + GAP) - GAP, down * (side + GAP) - GAP
    ground = Image.new("RGB", size, (255, 255, 255))
    for place, crop in enumerate(crops):
        row, column = divmod(place, across)
        numbered = crop.copy()
        _number(numbered, place + 1)
        ground.paste(numbered, (column * (side + GAP), row * (side + GAP)))
    return ground


def _frame(
    canvas: ImageDraw.ImageDraw,
    box: Box,
    view: tuple[float, float, float],
    colour: tuple[int, int, int],
    stroke: int,
) -> None:
    """Draw BOX as VIEW (left, top, scale) shows it, with a dark edge that shows on any ground."""
    left, top, scale = view
    x, y = (box[0] - left) * scale, (box[1] - top) * scale
    right, bottom = x + max(box[2] * scale, 1), y + max(box[3] * scale, 1)
    canvas.rectangle((x - 1, y - 1, right + 1, bottom + 1), outline=DARK, width=stroke + 2)
    canvas.rectangle((x, y, right, bottom), outline=colour, width=stroke)


def _number(picture: Image.Image, number: int) -> None:
    canvas = ImageDraw.Draw(picture)
    font = ImageFont.load_default(16)
    box = canvas.textbbox((5, 3), str(number), font=font)
    canvas.rectangle((0, 0, box[2] + 5, box[3] + 4), fill=(255, 255, 255))
    canvas.text((5, 3), str(number), font=font, fill=DARK)
