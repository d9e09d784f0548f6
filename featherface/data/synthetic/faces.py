"""Synthetic faces, painted with their boxes and five landmarks.

Lengths are in half face widths; the face's centre is the origin, y points down. The head is a
rounded oval of height 1.3; features slide over it as it turns (yaw) and the whole tilts (roll).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from featherface.data.synthetic.appearance import Appearance, Colour, darker, mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Points = Sequence[tuple[float, float]]

SPAN = 2.6
"""Half side of the square tile that holds head, hair and shoulders in any tilt."""
HEAD_HEIGHT = 1.3
LANDMARKS = ((-0.42, -0.2), (0.42, -0.2), (0.0, 0.28), (-0.33, 0.66), (0.33, 0.66))
"""Eyes, nose tip, mouth corners of a frontal face."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A face on a transparent tile."""

    tile: Image.Image
    """RGBA."""
    box: NDArray[np.float64]
    """(4,) left, top, right, bottom of the face from hairline to chin, tile pixels."""
    landmarks: NDArray[np.float64]
    """(5, 2) tile pixels."""


class Pen:
    """Draws shapes given in half face widths."""

    def __init__(self, tile: Image.Image, unit: float) -> None:
        self.draw = ImageDraw.Draw(tile)
        self.unit = unit

    def pixels(self, points: Points) -> list[tuple[float, float]]:
        """Convert to tile pixels."""
        return [((x + SPAN) * self.unit, (y + SPAN) * self.unit) for x, y in points]

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Colour) -> None:
        """Fill an ellipse given by centre and radii."""
        self.draw.ellipse(
            [
                value
                for point in self.pixels([(x - rx, y - ry), (x + rx, y + ry)])
                for value in point
            ],
            fill,
        )

    def ring(self, x: float, y: float, rx: float, ry: float, fill: Colour, width: float) -> None:
        """Draw the outline of an ellipse."""
        corners = self.pixels([(x - rx, y - ry), (x + rx, y + ry)])
        self.draw.ellipse([*corners[0], *corners[1]], outline=fill, width=self.thick(width))

    def polygon(self, points: Points, fill: Colour) -> None:
        """Fill a polygon."""
        self.draw.polygon(self.pixels(points), fill)

    def line(self, points: Points, fill: Colour, width: float) -> None:
        """Draw a line with rounded joints."""
        self.draw.line(self.pixels(points), fill, self.thick(width), joint="curve")

    def thick(self, width: float) -> int:
        """Convert a line's width to whole pixels, at least one."""
        return max(1, round(width * self.unit))


def draw_portrait(look: Appearance, unit: float) -> Portrait:
    """Draw LOOK with about UNIT pixels to half a face width, smoothed by over-sampling."""
    side = max(16, round(2 * SPAN * unit))
    unit = side / (2 * SPAN)
    factor = 2 if unit >= 14 else 4
    large = Image.new("RGBA", (side * factor, side * factor), (*look.hair, 0))
    pen = Pen(large, unit * factor)
    _behind(pen, look)
    _head(pen, look)
    _features(pen, look)
    _hair(pen, look)
    _worn(pen, look)
    tile = large.reduce(factor).rotate(look.roll, resample=Image.Resampling.BICUBIC)
    outline = _turned(np.array(_outline(look)), look)
    landmarks = _turned(np.array([on_head(look, x, y) for x, y in LANDMARKS]), look)
    box = np.concatenate([outline.min(axis=0), outline.max(axis=0)])
    return Portrait(_shade(tile, look), (box + SPAN) * unit, (landmarks + SPAN) * unit)


def on_head(look: Appearance, x: float, y: float) -> tuple[float, float]:
    """Return where a point of the frontal face lies once the head is turned by `look.yaw`."""
    return math.sin(math.asin(x * 0.9) + look.yaw) / 0.9, y


def _turned(points: NDArray[np.float64], look: Appearance) -> NDArray[np.float64]:
    """Rotate (n, 2) points as Pillow rotates the tile: counter-clockwise on the screen."""
    angle = np.deg2rad(look.roll)
    cos, sin = np.cos(angle), np.sin(angle)
    turned: NDArray[np.float64] = points @ np.array([[cos, -sin], [sin, cos]])
    return turned


def _outline(look: Appearance) -> list[tuple[float, float]]:
    """Return the head's contour, narrower at the jaw."""
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x, y = np.cos(angles), np.sin(angles)
    x = x * (1 - look.jaw * np.maximum(y, 0) ** 2)
    return list(zip(x.tolist(), (y * HEAD_HEIGHT).tolist(), strict=True))


def _behind(pen: Pen, look: Appearance) -> None:
    """Draw long hair, neck and shoulders."""
    if look.style in {"long", "bob"}:
        reach = 1.75 if look.style == "long" else 1.2
        pen.ellipse(0, -0.2, 1.3, 1.35, darker(look.hair, 0.8))
        pen.polygon(
            [(-1.3, -0.3), (1.3, -0.3), (1.2, reach), (-1.2, reach)], darker(look.hair, 0.8)
        )
    pen.polygon([(-0.48, 0.8), (0.48, 0.8), (0.55, 1.9), (-0.55, 1.9)], darker(look.skin, 0.72))
    pen.ellipse(0, 2.75, 1.75, 1.2, look.cloth)
    pen.polygon([(-0.5, 1.58), (0.5, 1.58), (0, 2.1)], darker(look.skin, 0.8))


def _head(pen: Pen, look: Appearance) -> None:
    for side in (-1, 1):
        x = side * (0.98 - 0.25 * side * look.yaw)
        pen.ellipse(x, 0.0, 0.16, 0.26, darker(look.skin, 0.86))
    pen.polygon(_outline(look), look.skin)
    for x in (-0.5, 0.5):
        cheek, y = on_head(look, x, 0.3)
        pen.ellipse(cheek, y, 0.24, 0.19, mixed(look.skin, (222, 96, 84), 0.16))
    if look.beard:
        chin = [point for point in _outline(look) if point[1] > 0.28]
        pen.polygon(chin, mixed(look.skin, look.hair, 0.75))
        pen.ellipse(on_head(look, 0, 0)[0], 0.52, 0.48, 0.3, look.skin)


def _features(pen: Pen, look: Appearance) -> None:
    _eyes(pen, look)
    _nose(pen, look)
    _mouth(pen, look)


def _eyes(pen: Pen, look: Appearance) -> None:
    for side in (-1, 1):
        x, y = on_head(look, side * 0.42, -0.2)
        narrow = max(0.35, float(np.cos(look.yaw + side * 0.4)))
        pen.ellipse(x, y - 0.02, 0.27 * narrow, 0.19, darker(look.skin, 0.8))
        pen.ellipse(x, y, 0.21 * narrow, 0.115, (243, 240, 234))
        pen.ellipse(x + look.gaze, y, 0.105 * narrow, 0.11, look.iris)
        pen.ellipse(x + look.gaze, y, 0.055 * narrow, 0.06, (18, 14, 14))
        pen.ellipse(x + look.gaze + 0.035, y - 0.04, 0.025, 0.025, (255, 255, 255))
        lid = [(x + dx * narrow, y - 0.1 + 1.6 * dx * dx) for dx in (-0.23, -0.1, 0, 0.1, 0.23)]
        pen.line(lid, darker(look.skin, 0.35), 0.05)
        brow = [
            (x + side * dx * narrow, y - 0.3 - look.brow * (1 - (dx / 0.3) ** 2) * 0.4)
            for dx in (-0.27, -0.12, 0.05, 0.2, 0.31)
        ]
        pen.line(brow, darker(look.hair, 0.7), 0.085)


def _nose(pen: Pen, look: Appearance) -> None:
    x, y = on_head(look, 0.0, 0.28)
    top, _ = on_head(look, 0.06, 0)
    shadow = darker(look.skin, 0.76)
    pen.line([(top * 0.6 + 0.07, -0.12), (x + 0.12, y - 0.05), (x + 0.15, y + 0.04)], shadow, 0.05)
    pen.ellipse(x, y, 0.13, 0.1, mixed(look.skin, (255, 240, 225), 0.25))
    for side in (-1, 1):
        pen.ellipse(x + side * 0.085, y + 0.075, 0.05, 0.03, darker(look.skin, 0.45))


def _mouth(pen: Pen, look: Appearance) -> None:
    left, y = on_head(look, -0.33, 0.66)
    right, _ = on_head(look, 0.33, 0.66)
    middle, half = (left + right) / 2, (right - left) / 2
    lips = mixed(darker(look.skin, 0.8), (176, 42, 58), look.lips)
    steps = np.linspace(-1, 1, 13)
    arch = 1 - steps**2
    upper = [
        (middle + half * s, y + a * (look.smile - 0.1)) for s, a in zip(steps, arch, strict=True)
    ]
    lower = [
        (middle + half * s, y + a * (look.smile + 0.1 + look.open))
        for s, a in zip(steps, arch, strict=True)
    ]
    pen.polygon([*upper, *lower[::-1]], lips)
    inner = [
        (middle + (px - middle) * 0.82, py + 0.055 * a)
        for (px, py), a in zip(upper, arch, strict=True)
    ]
    if look.open > 0.08:
        floor = [
            (middle + (px - middle) * 0.82, py - 0.05 * a)
            for (px, py), a in zip(lower, arch, strict=True)
        ]
        pen.polygon([*inner, *floor[::-1]], (92, 26, 32))
        teeth = [(px, py + 0.4 * look.open * a) for (px, py), a in zip(inner, arch, strict=True)]
        pen.polygon([*inner, *teeth[::-1]], (244, 240, 232))
    else:
        pen.line(inner, darker(lips, 0.5), 0.035)
    if look.beard or look.moustache:
        pen.line(
            [(left, y - 0.06), (middle, y - 0.19), (right, y - 0.06)],
            mixed(look.skin, look.hair, 0.85),
            0.11,
        )


def _hair(pen: Pen, look: Appearance) -> None:
    """Draw what covers the top of the head."""
    if look.style == "bald":
        return
    if look.style == "hat":
        pen.polygon([(-1.08, -0.62), (1.08, -0.62), (0.86, -1.5), (-0.86, -1.5)], look.cloth)
        pen.ellipse(0, -1.45, 0.86, 0.3, look.cloth)
        pen.ellipse(0, -0.66, 1.4, 0.17, darker(look.cloth, 0.7))
        return
    if look.style == "curly":
        for angle in np.linspace(0.95 * np.pi, 2.05 * np.pi, 13):
            x, y = 1.02 * np.cos(angle), -0.3 + 1.1 * np.sin(angle)
            pen.ellipse(float(x), float(y), 0.33, 0.33, darker(look.hair, 0.86 + 0.14 * abs(x)))
    angles = np.linspace(np.pi, 2 * np.pi, 17)
    crown = [(1.1 * float(np.cos(a)), -0.25 + 1.28 * float(np.sin(a))) for a in angles]
    pen.polygon([*crown, *_hairline(look)], look.hair)
    shine = mixed(look.hair, (255, 255, 255), 0.16)
    strand = [(x * 0.72 + 0.12, y * 0.86 - 0.06) for x, y in crown[6:12]]
    pen.line(strand, shine, 0.06)


def _hairline(look: Appearance) -> list[tuple[float, float]]:
    """Return the lower edge of the front hair, from right to left."""
    part = look.part
    if look.style in {"bob", "fringe"}:
        return [(1.0, -0.1), (0.9, -0.55), (0.4, -0.5), (-0.1, -0.54), (-0.6, -0.5), (-0.95, -0.1)]
    return [
        (1.02, 0.05),
        (0.9, -0.45),
        (part + 0.35, -0.88),
        (part, -1.0),
        (part - 0.4, -0.82),
        (-0.88, -0.45),
        (-1.02, 0.05),
    ]


def _worn(pen: Pen, look: Appearance) -> None:
    """Draw glasses and masks."""
    if look.mask:
        edge = [point for point in _outline(look) if point[1] > 0.2]
        nose = on_head(look, 0, 0)[0]
        pen.polygon([*edge, (nose, 0.02)], look.accent)
        for y in (0.45, 0.7):
            pen.line([(-0.6, y), (0.6, y)], darker(look.accent, 0.85), 0.04)
    if look.glasses == "none":
        return
    frame = darker(look.accent, 0.35)
    centres = [on_head(look, side * 0.42, -0.18) for side in (-1, 1)]
    for x, y in centres:
        if look.glasses == "dark":
            pen.ellipse(x, y + 0.03, 0.33, 0.27, (28, 28, 34))
        pen.ring(x, y + 0.02, 0.33, 0.27, frame, 0.065)
    pen.line([(centres[0][0] + 0.3, -0.2), (centres[1][0] - 0.3, -0.2)], frame, 0.06)
    for side, (x, _) in zip((-1, 1), centres, strict=True):
        pen.line([(x + side * 0.32, -0.2), (side * 1.0, -0.12)], frame, 0.05)


@lru_cache(maxsize=64)
def _grid(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x (1, side) and y (side, 1) of a tile's pixels in half face widths."""
    line = ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32) * SPAN
    return line[None, :], line[:, None]


def _shade(tile: Image.Image, look: Appearance) -> Image.Image:
    """Light the head from one side and let it fall off at its rim."""
    pixels = np.array(tile)
    across, down = _grid(tile.width)
    cos, sin = np.cos(np.deg2rad(look.roll)), np.sin(np.deg2rad(look.roll))
    x, y = cos * across - sin * down, sin * across + cos * down  # upright again
    light_x, light_y, strength = look.light
    rim = np.clip(x**2 + (y / HEAD_HEIGHT) ** 2, 0, 1.3)
    shade = 1.06 + strength * (light_x * x + light_y * y) * 0.5 - 0.24 * rim**2
    lit = pixels[..., :3] * np.clip(shade * look.exposure, 0.05, 2.2)[..., None].astype(np.float32)
    pixels[..., :3] = np.clip(lit, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)
