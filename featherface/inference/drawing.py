"""Detections drawn on their picture: boxes, scores, landmarks, legible at any size.

Strokes and letters follow the picture's size and never outgrow the face. A score is written only
where it covers no other face and no other score, so a crowd stays a picture of people.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from featherface.errors import UsageError
from featherface.filesystem.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from featherface.geometry.detections import Detections

    Colour = tuple[int, int, int]
    Area = tuple[float, float, float, float]  # left, top, right, bottom in pixels

SAVED = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""File endings that `save` knows."""

DOUBTFUL: Colour = (255, 140, 0)
CERTAIN: Colour = (0, 230, 118)
"""Colours of a box up to score 0.3 and from score 0.9 on; in between they blend."""
DARK: Colour = (16, 16, 16)
POINTS: tuple[Colour, ...] = (
    (64, 196, 255),  # left eye
    (64, 196, 255),  # right eye
    (255, 235, 59),  # nose
    (255, 82, 165),  # left mouth corner
    (255, 82, 165),  # right mouth corner
)
SMALLEST_WITH_POINTS = 20
"""Pixels of a face's shorter side; on smaller ones five dots would hide it."""


def draw(image: NDArray[np.uint8], detections: Detections) -> Image.Image:
    """Draw DETECTIONS on a copy of IMAGE (H, W, 3), blue-green-red."""
    picture = Image.fromarray(np.ascontiguousarray(image[:, :, ::-1]))
    canvas = ImageDraw.Draw(picture)
    stroke = max(1, round(max(picture.size) / 500))
    for row in reversed(range(len(detections))):  # the surest on top
        colour = _blend(float(detections.scores[row]))
        box = _area(detections.boxes[row])
        _box(canvas, box, colour, _within(stroke, box, 14))
        _points(canvas, detections.landmarks[row], box, stroke)
    _scores(canvas, detections, picture.size)
    return picture


def mark(
    picture: Image.Image, boxes: NDArray[np.float32], landmarks: NDArray[np.float32]
) -> Image.Image:
    """Draw annotated faces, BOXES (n, 4) and LANDMARKS (n, 10), on a copy of PICTURE."""
    marked = picture.copy()
    canvas = ImageDraw.Draw(marked)
    stroke = max(1, round(max(picture.size) / 250))
    for box, points in zip(boxes, landmarks, strict=True):
        area = _area(box)
        _box(canvas, area, CERTAIN, _within(stroke, area, 14))
        _points(canvas, points, area, stroke)
    return marked


def save(picture: Image.Image, path: Path) -> None:
    """Write PICTURE, its kind told by the ending of PATH; the file appears whole or not at all.

    Raises:
        UsageError: the ending is none of `SAVED`.
        UnavailableError: the file can't be written.
    """
    kind = SAVED.get(path.suffix.lower())
    if kind is None:
        raise UsageError(
            f"can't write a picture as {path.suffix or path.name!r}",
            f"end it in {', '.join(SAVED)}",
        )
    with replacing(path) as temporary:
        picture.save(temporary, format=kind, **({} if kind == "PNG" else {"quality": 92}))


def _blend(score: float) -> Colour:
    share = min(max((score - 0.3) / 0.6, 0.0), 1.0)
    red, green, blue = (
        round(low + share * (high - low)) for low, high in zip(DOUBTFUL, CERTAIN, strict=True)
    )
    return red, green, blue


def _area(box: NDArray[np.float32]) -> Area:
    left, top, right, bottom = (round(float(value)) for value in box)
    return left, top, max(right, left), max(bottom, top)


def _within(stroke: int, box: Area, parts: int) -> int:
    """Thin STROKE to one of so many PARTS of the box's shorter side, but not to nothing."""
    shorter = min(box[2] - box[0], box[3] - box[1])
    return max(1, min(stroke, round(shorter / parts)))


def _box(canvas: ImageDraw.ImageDraw, box: Area, colour: Colour, stroke: int) -> None:
    """Draw a frame around BOX; broad ones get a dark edge that shows on bright ground."""
    left, top, right, bottom = box
    if stroke > 1:
        edge = max(1, stroke // 3)
        wide = left - edge, top - edge, right + edge, bottom + edge
        canvas.rectangle(wide, outline=DARK, width=stroke + 2 * edge)
    canvas.rectangle(box, outline=colour, width=stroke)


def _points(
    canvas: ImageDraw.ImageDraw, landmarks: NDArray[np.float32], box: Area, stroke: int
) -> None:
    shorter = min(box[2] - box[0], box[3] - box[1])
    if shorter < SMALLEST_WITH_POINTS or not np.isfinite(landmarks).all():
        return
    radius = max(1.0, min(stroke * 1.5, shorter / 22))
    for (x, y), colour in zip(landmarks.reshape(5, 2).tolist(), POINTS, strict=True):
        for size, fill in ((radius + max(1, radius / 3), DARK), (radius, colour)):
            canvas.ellipse((x - size, y - size, x + size, y + size), fill=fill)


@dataclass
class _Taken:
    """The places where no score may be written."""

    faces: NDArray[np.float64]  # (n, 4)
    scores: list[Area] = field(default_factory=list)

    def free(self, place: Area, own: int) -> bool:
        """Tell whether PLACE touches no score and no face but the row OWN."""
        touched = _touching(self.faces, place)
        touched[own] = False
        written = np.array(self.scores, dtype=np.float64).reshape(-1, 4)
        return not touched.any() and not _touching(written, place).any()


def _touching(areas: NDArray[np.float64], place: Area) -> NDArray[np.bool_]:
    left, top, right, bottom = place
    across = (areas[:, 0] < right) & (areas[:, 2] > left)
    down = (areas[:, 1] < bottom) & (areas[:, 3] > top)
    return np.asarray(across & down)


def _scores(canvas: ImageDraw.ImageDraw, detections: Detections, size: tuple[int, int]) -> None:
    """Write the scores, the surest first, each where there is room for it."""
    taken = _Taken(detections.boxes.astype(np.float64))
    for row in range(len(detections)):
        box = _area(detections.boxes[row])
        font = _font(_letters(size, box))
        text = f"{float(detections.scores[row]):.2f}"
        left, top, right, bottom = font.getbbox("0.00")
        margin = max(1, round((bottom - top) / 4))
        width, height = right - left + 2 * margin, bottom - top + 2 * margin
        for place in _places(box, width, height, size):
            if taken.free(place, row):
                taken.scores.append(place)
                canvas.rectangle(place, fill=_blend(float(detections.scores[row])))
                corner = place[0] + margin - left, place[1] + margin - top
                canvas.text(corner, text, font=font, fill=DARK)
                break


def _letters(size: tuple[int, int], box: Area) -> int:
    """Choose the letters' height in pixels: by the face, within what the picture's size asks."""
    longer = max(size)
    lowest, highest = max(longer / 96, 10), max(longer / 52, 10)
    return round(min(max((box[2] - box[0]) / 3, lowest), highest))


@functools.lru_cache(maxsize=64)
def _font(height: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(height)
    if not isinstance(font, ImageFont.FreeTypeFont):  # Pillow without FreeType: one size only
        raise UsageError("this Pillow can't draw text", "install it again: pip install pillow")
    return font


def _places(box: Area, width: float, height: float, size: tuple[int, int]) -> list[Area]:
    """List where a score may stand: above, below, inside at the top; always in the picture."""
    left = min(max(box[0], 0), size[0] - 1 - width)
    tops = [box[1] - height - 1, box[3] + 1]
    if box[2] - box[0] > 3 * width and box[3] - box[1] > 6 * height:
        tops.append(box[1] + 1)  # in a large face's corner it hides nothing
    inside = [top for top in tops if top >= 0 and top + height < size[1]]
    return [(left, top, left + width, top + height) for top in inside if left >= 0]
