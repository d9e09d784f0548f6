"""Composition of synthetic scenes: people in depth order, each face's visible share known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from featherface.data.annotation import ImageAnnotation
from featherface.data.synthetic.appearance import Appearance, draw_look
from featherface.data.synthetic.backgrounds import add_grain, draw_scene
from featherface.data.synthetic.faces import HEAD_HEIGHT, Portrait, draw_portrait

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from featherface.data.config import SyntheticConfig

PARTIAL, HEAVY = 0.08, 0.35
"""Hidden shares of a face from which its occlusion is 1 and 2."""
HIDDEN = 0.6
"""Hidden share that no placement may reach."""
ATTEMPTS = 12


@dataclass(frozen=True)
class Event:
    """A kind of picture: how many people, and how large."""

    name: str
    """Folder of its pictures, as WIDER FACE names them: `0--Market`."""
    people: tuple[int, int]
    """Fewest and most."""
    scale: tuple[float, float]
    """Range of face widths, 0 the smallest and 1 the largest of the configuration (log scale)."""


EVENTS = (
    Event("0--Market", (2, 6), (0.0, 0.8)),
    Event("1--Portrait", (1, 2), (0.6, 1.0)),
    Event("2--Concert", (5, 99), (0.0, 0.4)),
    Event("3--Family_Meal", (2, 4), (0.3, 0.9)),
    Event("4--Station", (1, 5), (0.0, 1.0)),
)


@dataclass(eq=False)
class _Person:
    """A face in the picture."""

    box: NDArray[np.float64]
    landmarks: NDArray[np.float64]
    look: Appearance
    blur: int
    visible: NDArray[np.bool_]
    """(size, size) pixels of the face that nothing covers."""
    area: int
    """Pixels of the face when nothing covered it."""

    def hidden(self, cover: NDArray[np.bool_]) -> float:
        """Share of the face that is hidden once COVER lies over the picture."""
        return 1 - float((self.visible & ~cover).sum()) / max(1, self.area)

    def attributes(self) -> list[int]:
        """Return WIDER FACE's codes in the order of ATTRIBUTES."""
        look = self.look
        hidden = self.hidden(np.zeros_like(self.visible))
        occlusion = 2 if hidden >= HEAVY else int(hidden >= PARTIAL or look.mask)
        return [
            self.blur,
            int(look.open > 0.25),
            int(not 0.6 <= look.exposure <= 1.4),
            0,
            occlusion,
            int(abs(look.roll) > 25 or abs(look.yaw) > 0.4),
        ]


def draw_picture(
    rng: Generator, config: SyntheticConfig, event: Event, path: str
) -> tuple[Image.Image, ImageAnnotation]:
    """Draw one RGB picture of EVENT with its faces."""
    picture = draw_scene(rng, config.image_size)
    people: list[_Person] = []
    for width in _widths(rng, config, event):
        _place(rng, picture, people, width)
    for person in people:
        if rng.random() < 0.08:
            _cover(rng, picture, people, person)
    return add_grain(picture, rng), _annotation(path, people)


def _widths(rng: Generator, config: SyntheticConfig, event: Event) -> list[float]:
    """Return face widths from far to near."""
    most = min(event.people[1], max(config.crowd, 1))
    count = int(rng.integers(min(event.people[0], most), most + 1))
    smallest = config.smallest_face
    largest = max(smallest, min(config.largest_face, round(0.55 * config.image_size)))
    shares = rng.uniform(*event.scale, size=count)
    return sorted((smallest * (largest / smallest) ** shares).tolist())


def _place(rng: Generator, picture: Image.Image, people: list[_Person], width: float) -> None:
    """Paste a new person where the faces already there stay visible; give up when it's full."""
    look = draw_look(rng)
    portrait = draw_portrait(look, width / 2)
    blur = int(rng.choice([0, 1, 2], p=[0.78, 0.14, 0.08]))
    tile = (
        portrait.tile.filter(ImageFilter.GaussianBlur(blur * 0.035 * width))
        if blur
        else portrait.tile
    )
    for _ in range(ATTEMPTS):
        corner = _corner(rng, portrait, picture.width)
        cover = _alpha(tile, corner, picture.width) > 127
        person = _person(portrait, corner, look, blur, picture.width)
        if all(other.hidden(cover) < HIDDEN and not _close(other, person) for other in people):
            for other in people:
                other.visible &= ~cover
            picture.paste(tile, corner, tile)
            people.append(person)
            return


def _corner(rng: Generator, portrait: Portrait, size: int) -> tuple[int, int]:
    """Choose where the tile's left top goes so that the face lies inside the picture."""
    left, top, right, bottom = portrait.box
    x = rng.uniform(1 - left, max(2 - left, size - 1 - right))
    y = rng.uniform(1 - top, max(2 - top, size - 1 - bottom))
    return round(float(x)), round(float(y))


def _close(first: _Person, second: _Person) -> bool:
    """Tell whether two faces overlap so much that a detector could take them for one."""
    left_top = np.maximum(first.box[:2], second.box[:2])
    right_bottom = np.minimum(first.box[2:], second.box[2:])
    shared = float(np.prod(np.clip(right_bottom - left_top, 0, None)))
    smaller = min(float(np.prod(p.box[2:] - p.box[:2])) for p in (first, second))
    return shared > 0.3 * smaller


def _alpha(tile: Image.Image, corner: tuple[int, int], size: int) -> NDArray[np.uint8]:
    """Return the tile's opacity (size, size) where it lies in the picture."""
    layer = Image.new("L", (size, size))
    layer.paste(tile.getchannel("A"), corner)
    return np.asarray(layer)


def _person(
    portrait: Portrait, corner: tuple[int, int], look: Appearance, blur: int, size: int
) -> _Person:
    shift = np.array(corner, dtype=np.float64)
    box = portrait.box + np.tile(shift, 2)
    visible = _face_region(box, look, size)
    return _Person(box, portrait.landmarks + shift, look, blur, visible, int(visible.sum()))


def _face_region(box: NDArray[np.float64], look: Appearance, size: int) -> NDArray[np.bool_]:
    """Return (size, size) the pixels of an oval of the head's shape and tilt."""
    middle, line = (box[:2] + box[2:]) / 2, np.arange(size) + 0.5
    x, y = line[None, :] - middle[0], line[:, None] - middle[1]
    angle = np.deg2rad(look.roll)
    across, down = np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y
    half = (box[3] - box[1]) / 2 / HEAD_HEIGHT
    return np.asarray((across / half) ** 2 + (down / (half * HEAD_HEIGHT)) ** 2 < 1)


def _cover(rng: Generator, picture: Image.Image, people: list[_Person], person: _Person) -> None:
    """Put a post, a sign or a hand-held thing over a part of the face."""
    left, top, right, bottom = person.box
    width, height = right - left, bottom - top
    x = left + float(rng.uniform(-0.3, 0.8)) * width
    y = top + float(rng.uniform(0.4, 0.8)) * height
    shape = [
        x,
        y,
        x + float(rng.uniform(0.3, 0.7)) * width,
        y + height * float(rng.uniform(0.5, 1)),
    ]
    layer = Image.new("L", picture.size)
    draw = ImageDraw.Draw(layer)
    (draw.ellipse if rng.random() < 0.4 else draw.rectangle)(shape, 255)
    cover = np.asarray(layer) > 0
    if any(other.hidden(cover) >= HIDDEN for other in people):
        return
    for other in people:
        other.visible &= ~cover
    colour = tuple(int(value) for value in rng.integers(40, 220, size=3))
    picture.paste(Image.new("RGB", picture.size, colour), (0, 0), layer)


def _annotation(path: str, people: list[_Person]) -> ImageAnnotation:
    """Return boxes in whole pixels, as WIDER FACE gives them."""
    boxes = np.array([np.rint(person.box) for person in people]).reshape(-1, 4)
    points = np.array([person.landmarks.reshape(-1) for person in people]).reshape(-1, 10)
    attributes = np.array([person.attributes() for person in people]).reshape(-1, 6)
    points[attributes[:, 4] == 2] = np.nan  # nobody could mark points on a hidden face
    return ImageAnnotation(
        path, boxes.astype(np.float32), points.astype(np.float32), attributes.astype(np.int64)
    )
