"""A contact sheet of augmentations: pictures before and after, with the faces marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from featherface.data.augmentation.transforms import AUGMENTATIONS, augmented
from featherface.data.sample import scaled
from featherface.errors import DataError, UsageError, unknown
from featherface.inference.drawing import mark
from featherface.training.loading.batches import TrainingPictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featherface.data.sample import Sample
    from featherface.data.widerface import Split
    from featherface.training.config.train import TrainConfig

PIPELINE = "pipeline"
"""Name of the row that shows all of a configuration's augmentations one after the other."""
TRIES = 40
"""Seeds tried until an augmentation that acts by chance does something."""
CELL, GAP, LETTERS = 224, 8, 15
"""Pixels: a picture's longer side in the sheet, the space around it, the captions' height."""
ABREAST = 4
"""Pairs side by side; more go on below."""
PAPER, INK = (250, 250, 248), (40, 40, 40)


@dataclass(frozen=True, eq=False)
class SamplePair:
    """A sample before and after augmentation."""

    path: str
    """In the split's images folder."""
    before: Sample
    after: Sample

    @property
    def changed(self) -> bool:
        """Whether pixels or faces are others than before."""
        same = self.before.picture.tobytes() == self.after.picture.tobytes()
        return not same or not np.array_equal(self.before.boxes, self.after.boxes)

    def facts(self) -> dict[str, Any]:
        """Return what a table says of the pair."""
        return {
            "path": self.path,
            "changed": self.changed,
            "faces_before": len(self.before.boxes),
            "faces_after": len(self.after.boxes),
        }


def preview(
    split: Split, config: TrainConfig, names: Sequence[str], *, count: int = 3, seed: int = 0
) -> dict[str, list[SamplePair]]:
    """Return for each of NAMES (augmentations, or PIPELINE) COUNT pictures before and after.

    The same SEED gives the same pictures and changes. Each name gets other pictures, all of
    them with faces.

    Raises:
        UsageError: a name is unknown.
        DataError: no picture has a face.
    """
    for name in names:
        if name not in (*AUGMENTATIONS, PIPELINE):
            raise UsageError(unknown("augmentation", name, [*AUGMENTATIONS, PIPELINE]))
    pictures = TrainingPictures(split, config, (0.0, 0.0, 0.0))
    peopled = [index for index, image in enumerate(split.images) if len(image.boxes)]
    if not peopled:
        raise DataError(f"no face in the {split.name} split of {split.root}: nothing to show")
    rows: dict[str, list[SamplePair]] = {}
    for name in names:
        place = [*AUGMENTATIONS, PIPELINE].index(name)
        order = np.random.default_rng([seed, place]).permutation(peopled)
        chosen = np.resize(order, count).tolist()
        rows[name] = [
            _pair(pictures, index, name, (seed, place, at)) for at, index in enumerate(chosen)
        ]
    return rows


def _pair(pictures: TrainingPictures, index: int, name: str, seed: tuple[int, ...]) -> SamplePair:
    before, path = pictures.sample(index), pictures.split.images[index].path
    pair = SamplePair(path, before, before)
    for attempt in range(TRIES):
        rng = np.random.default_rng([*seed, attempt])
        if name == PIPELINE:
            config = pictures.config
            after = augmented(before, config.augmentations, config.image_size, rng)
        else:
            after = AUGMENTATIONS[name](before, rng)
        pair = SamplePair(path, before, after)
        if pair.changed:
            break
    return pair


def sheet(rows: dict[str, list[SamplePair]]) -> Image.Image:
    """Draw ROWS below each other: each picture before and, beside it, after."""
    lines = [
        (name, pairs[start : start + ABREAST])
        for name, pairs in rows.items()
        for start in range(0, len(pairs), ABREAST)
    ]
    columns = 2 * max(len(pairs) for _, pairs in lines)
    height = CELL + LETTERS + 2 * GAP
    paper = Image.new("RGB", (columns * (CELL + GAP) + GAP, len(lines) * height + GAP), PAPER)
    canvas, font = ImageDraw.Draw(paper), ImageFont.load_default(LETTERS)
    for row, (name, pairs) in enumerate(lines):
        top = row * height + GAP
        for place, pair in enumerate(pairs):
            for side, sample in enumerate((pair.before, pair.after)):
                left = (2 * place + side) * (CELL + GAP) + GAP
                count = len(sample.boxes)
                caption = f"{name}: {count} face{'s' * (count != 1)}"
                canvas.text((left, top), caption if side else "before", font=font, fill=INK)
                paper.paste(_cell(sample), (left, top + LETTERS + GAP // 2))
    return paper


def _cell(sample: Sample) -> Image.Image:
    small = scaled(sample, CELL / max(sample.size))
    return mark(small.picture, small.boxes, small.landmarks)
