"""Backgrounds of synthetic scenes: textures, and distractors that resemble faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from featherface.data.synthetic.appearance import CLOTHS, SKINS, Colour, darker, mixed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

OVERSAMPLING = 2


def draw_scene(rng: Generator, size: int) -> Image.Image:
    """Return an RGB picture of SIZE × SIZE pixels without any face."""
    side = size * OVERSAMPLING
    scene = _backdrop(rng, size).resize((side, side), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(scene)
    names = list(DISTRACTORS)
    for _ in range(int(rng.integers(5, 12))):
        extent = side * float(rng.uniform(0.08, 0.34))
        x, y = (float(rng.uniform(-0.1, 1.0)) * side for _ in range(2))
        DISTRACTORS[names[int(rng.integers(len(names)))]](draw, rng, x, y, extent)
    return scene.reduce(OVERSAMPLING)


def add_grain(picture: Image.Image, rng: Generator) -> Image.Image:
    """Add a camera's noise, tint and darker corners."""
    pixels = np.asarray(picture, dtype=np.float32)
    side = pixels.shape[0]
    line = np.linspace(-1, 1, side, dtype=np.float32)
    corners = 1 - 0.14 * (line[None, :] ** 2 + line[:, None] ** 2)
    tint = rng.uniform(0.93, 1.07, size=3).astype(np.float32)
    noise = rng.standard_normal((side, side, 1), dtype=np.float32) * float(rng.uniform(1, 5))
    return Image.fromarray(
        np.clip(pixels * corners[..., None] * tint + noise, 0, 255).astype(np.uint8)
    )


def _backdrop(rng: Generator, side: int) -> Image.Image:
    """Return a sky or wall over a floor, both mottled."""
    top, bottom, floor = (_colour(rng) for _ in range(3))
    horizon = int(side * rng.uniform(0.45, 0.95))
    shares = np.linspace(0, 1, side)[:, None]
    column = np.array(top) * (1 - shares) + np.array(bottom) * shares  # (side, 3)
    column[horizon:] = np.array(floor) * np.linspace(0.75, 1.0, side - horizon)[:, None]
    pixels = np.repeat(column[:, None, :], side, axis=1)
    for cells, strength in ((4, 26), (18, 16), (64, 9)):
        pixels += _mottle(rng, cells, side) * strength
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _mottle(rng: Generator, cells: int, side: int) -> NDArray[np.float64]:
    """Return smooth noise (side, side, 1) in -1..1 with about CELLS bumps to a side."""
    coarse = Image.fromarray(rng.integers(0, 256, size=(cells, cells), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), dtype=np.float64)
    return (smooth / 127.5 - 1)[..., None]


def _colour(rng: Generator) -> Colour:
    """Return a muted colour, at times that of skin: colour alone must not tell a face."""
    base = CLOTHS if rng.random() < 0.7 else SKINS
    return mixed(base[int(rng.integers(len(base)))], (138, 142, 140), float(rng.uniform(0, 0.5)))


def _building(draw: ImageDraw.ImageDraw, rng: Generator, x: float, y: float, extent: float) -> None:
    """Draw a block with rows of windows."""
    wall = _colour(rng)
    width, height = extent, extent * float(rng.uniform(1.0, 2.2))
    draw.rectangle([x, y, x + width, y + height], wall)
    pane = mixed(wall, (230, 225, 180) if rng.random() < 0.5 else (30, 40, 60), 0.6)
    columns, rows = (int(rng.integers(2, 5)) for _ in range(2))
    for row in range(rows):
        for column in range(columns):
            left, top = x + width * (column + 0.25) / columns, y + height * (row + 0.25) / rows
            draw.rectangle(
                [left, top, left + width * 0.5 / columns, top + height * 0.5 / rows], pane
            )


def _balloon(draw: ImageDraw.ImageDraw, rng: Generator, x: float, y: float, extent: float) -> None:
    """Draw an oval with a gleam: as round as a head, but nobody's."""
    colour = _colour(rng)
    height = extent * float(rng.uniform(1.0, 1.35))
    draw.ellipse([x, y, x + extent, y + height], colour)
    gleam = mixed(colour, (255, 255, 255), 0.4)
    draw.ellipse([x + extent * 0.2, y + height * 0.15, x + extent * 0.4, y + height * 0.35], gleam)
    draw.line(
        [x + extent / 2, y + height, x + extent * 0.45, y + height * 1.7], darker(colour, 0.6), 2
    )


def _tree(draw: ImageDraw.ImageDraw, rng: Generator, x: float, y: float, extent: float) -> None:
    """Draw a trunk under overlapping leaves."""
    trunk = (92, 66, 46)
    draw.rectangle(
        [x + extent * 0.42, y + extent * 0.6, x + extent * 0.58, y + extent * 1.7], trunk
    )
    leaf = mixed((58, 112, 62), (150, 140, 60), float(rng.random()))
    for _ in range(9):
        at_x, at_y = x + extent * float(rng.random()), y + extent * 0.8 * float(rng.random())
        radius = extent * float(rng.uniform(0.16, 0.3))
        shade = darker(leaf, float(rng.uniform(0.75, 1.15)))
        draw.ellipse([at_x - radius, at_y - radius, at_x + radius, at_y + radius], shade)


def _sign(draw: ImageDraw.ImageDraw, rng: Generator, x: float, y: float, extent: float) -> None:
    """Draw a board with lines of marks that look like writing."""
    paper = mixed(_colour(rng), (245, 240, 230), 0.7)
    height = extent * float(rng.uniform(0.5, 0.9))
    draw.rectangle([x, y, x + extent, y + height], paper, outline=darker(paper, 0.6), width=2)
    ink = darker(_colour(rng), 0.4)
    for row in range(int(rng.integers(2, 5))):
        left, top = x + extent * 0.1, y + height * (0.14 + 0.2 * row)
        while left < x + extent * 0.82:
            stroke = extent * float(rng.uniform(0.02, 0.09))
            tall = height * float(rng.uniform(0.07, 0.13))
            draw.rectangle([left, top, left + stroke, top + tall], ink)
            left += stroke + extent * float(rng.choice([0.02, 0.02, 0.07]))


def _clock(draw: ImageDraw.ImageDraw, rng: Generator, x: float, y: float, extent: float) -> None:
    """Draw a disc with dark marks inside, the most face-like thing here."""
    colour = _colour(rng)
    draw.ellipse([x, y, x + extent, y + extent], colour, outline=darker(colour, 0.5), width=3)
    middle_x, middle_y = x + extent / 2, y + extent / 2
    for _ in range(int(rng.integers(2, 7))):
        angle = float(rng.uniform(0, 2 * np.pi))
        at_x, at_y = (
            middle_x + extent * 0.36 * np.cos(angle),
            middle_y + extent * 0.36 * np.sin(angle),
        )
        draw.line([middle_x, middle_y, at_x, at_y], darker(colour, 0.3), max(2, int(extent / 24)))


def _stripes(draw: ImageDraw.ImageDraw, rng: Generator, x: float, y: float, extent: float) -> None:
    """Draw a fence or curtain."""
    colours = _colour(rng), _colour(rng)
    count = int(rng.integers(4, 9))
    for index in range(count):
        left = x + extent * index / count
        draw.rectangle([left, y, left + extent / count, y + extent * 1.3], colours[index % 2])


DISTRACTORS: dict[str, Callable[[ImageDraw.ImageDraw, Generator, float, float, float], None]] = {
    "building": _building,
    "balloon": _balloon,
    "tree": _tree,
    "sign": _sign,
    "clock": _clock,
    "stripes": _stripes,
}
"""Things without a face, each drawn into a box by its left, top and extent in pixels."""
