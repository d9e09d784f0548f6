"""A data set composed of others: their scenes, as they are and with faces pasted in.

Few annotated pictures hold few large faces, and none with landmarks; crops of faces have both.
Scenes and people are dealt to the splits before anything is pasted, so that no split holds a
scene or a person of another one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from featherface.checks import require_legal
from featherface.data.annotation import UNKNOWN, ImageAnnotation
from featherface.data.augmentation.copy_paste import put
from featherface.data.formats.writing import write_retinaface, write_widerface
from featherface.data.images import open_picture
from featherface.data.sample import Sample
from featherface.errors import HeldError, InterruptedRunError, RefusedError
from featherface.filesystem.atomic import move, remove_tree
from featherface.filesystem.os_errors import unavailable
from featherface.filesystem.retry import insist
from featherface.progress import Progress, never, silent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.random import Generator

    from featherface.data.augmentation.crops import Crop
    from featherface.data.widerface import Split
    from featherface.progress import OnProgress, ShouldStop

SPLITS = ("train", "val")
SCENES, COMPOSITES = "scenes", "composites"
"""Folders of the pictures, as WIDER FACE's events."""
DEAL = 7
"""Stream of random numbers that deals scenes and people."""
QUALITY = 92


@dataclass(frozen=True, kw_only=True)
class CompositeConfig:
    """How many pictures are made, and what is pasted into them."""

    pictures: int = 1000
    """Composites of the train split; the scenes themselves come on top."""
    held_out: float = 0.1
    """Share of the scenes, of the people and of the composites that go into the val split; 0
    makes none."""
    most: int = 4
    """Faces pasted into one scene, at most."""
    largest: float = 0.6
    """Longer side of the largest face, a share of the scene's short side."""
    seed: int = 0
    """Everything follows from it."""

    def __post_init__(self) -> None:
        require_legal(self.pictures >= 1, "pictures", self.pictures, "1 or more")
        require_legal(0 <= self.held_out <= 0.5, "held-out", self.held_out, "from 0 to 0.5")
        require_legal(self.most >= 1, "faces", self.most, "1 or more")
        require_legal(0.05 <= self.largest <= 1, "largest", self.largest, "from 0.05 to 1")


@dataclass(frozen=True)
class SplitSources:
    """What one split is made from."""

    scenes: tuple[ImageAnnotation, ...]
    crops: tuple[Crop, ...]
    pictures: int
    """Composites to make."""


@dataclass(frozen=True)
class ComposedSplit:
    """What one split came to hold."""

    images: int
    faces: int
    pasted: int
    """Of the faces, those that came from crops."""


def deal(
    scenes: Sequence[ImageAnnotation], crops: Sequence[Crop], config: CompositeConfig
) -> dict[str, SplitSources]:
    """Say which scenes and people each split gets; `val` is left out where it gets nothing.

    Crops whose person is not known count as one person each.
    """
    rng = np.random.default_rng([config.seed, DEAL])
    named = sorted(crops, key=lambda crop: (crop.person, crop.path))
    people = [
        tuple(group) for _, group in groupby(named, lambda crop: crop.person or str(crop.path))
    ]
    parts = []
    for things in (list(scenes), people):
        order = rng.permutation(len(things))
        count = round(config.held_out * len(things))
        parts.append(([things[at] for at in order[count:]], [things[at] for at in order[:count]]))
    dealt = {}
    counts = (config.pictures, round(config.held_out * config.pictures))
    for at, (name, count) in enumerate(zip(SPLITS, counts, strict=True)):
        kept = sorted(parts[0][at], key=lambda image: image.path)
        chosen = tuple(crop for group in parts[1][at] for crop in group)
        if kept and chosen and count:
            dealt[name] = SplitSources(tuple(kept), chosen, count)
    return dealt


def compose_set(
    scenes: Split,
    crops: Sequence[Crop],
    out: Path,
    config: CompositeConfig,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> dict[str, ComposedSplit]:
    """Write a data set in WIDER FACE's layout into OUT; it appears whole or not at all.

    Raises:
        RefusedError: OUT holds something.
        DataError: a picture is missing or damaged.
        HeldError: another program holds what was made; it is kept, and the message says where.
        UnavailableError: OUT can't be written.
        InterruptedRunError: SHOULD_STOP said so; nothing is left behind.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RefusedError(f"{out} holds something already", "choose another folder")
    fresh = out.with_name(f".{out.name}.tmp")
    try:
        remove_tree(fresh)
        fresh.mkdir(parents=True)
        writer = _SplitWriter(scenes, fresh, config, on_progress, should_stop)
        made = writer.write(deal(scenes.images, crops, config))
    except BaseException as error:
        shutil.rmtree(fresh, ignore_errors=True)
        if isinstance(error, OSError):
            raise unavailable(error, out, verb="write the data set into") from error
        raise
    _publish(fresh, out)
    return made


def _publish(fresh: Path, out: Path) -> None:
    """Give the finished set FRESH the name OUT."""
    try:
        if out.exists():
            insist(out.rmdir, out)
        move(fresh, out)
    except HeldError as error:
        raise HeldError(
            f"{error.message}; the data set is whole in {fresh}",
            f"close it, then rename that folder to {out.name}",
            path=error.path,
            who=error.who,
        ) from error
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise unavailable(error, out, verb="write the data set into") from error


@dataclass
class _SplitWriter:
    """Writes the splits, and counts."""

    scenes: Split
    out: Path
    config: CompositeConfig
    on_progress: OnProgress
    should_stop: ShouldStop
    done: int = 0
    total: int = 0

    def write(self, dealt: dict[str, SplitSources]) -> dict[str, ComposedSplit]:
        self.total = sum(len(part.scenes) + part.pictures for part in dealt.values())
        return {name: self._split(name, part) for name, part in dealt.items()}

    def _split(self, name: str, part: SplitSources) -> ComposedSplit:
        folder = self.out / f"WIDER_{name}" / "images"
        images = [self._scene(folder, image) for image in part.scenes]
        pasted = 0
        for index in range(part.pictures):
            rng = np.random.default_rng([self.config.seed, SPLITS.index(name), index])
            image, count = self._composite(folder, index, part, rng)
            images.append(image)
            pasted += count
        images.sort(key=lambda image: image.path)
        write_widerface(self.out / "wider_face_split" / f"wider_face_{name}_bbx_gt.txt", images)
        write_retinaface(self.out / name / "label.txt", images)
        return ComposedSplit(len(images), sum(len(image.boxes) for image in images), pasted)

    def _scene(self, folder: Path, image: ImageAnnotation) -> ImageAnnotation:
        path = f"{SCENES}/{image.path.replace('/', '_')}"
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.scenes.path(image), target)
        self._count()
        return replace(image, path=path)

    def _composite(
        self, folder: Path, index: int, part: SplitSources, rng: Generator
    ) -> tuple[ImageAnnotation, int]:
        scene = part.scenes[int(rng.integers(len(part.scenes)))]
        picture = open_picture(self.scenes.path(scene))
        sample = Sample(picture, scene.boxes, scene.landmarks)
        for _ in range(int(rng.integers(1, self.config.most + 1))):
            crop = part.crops[int(rng.integers(len(part.crops)))]
            sample = put(sample, crop.sample(), rng, self.config.largest)
        path = f"{COMPOSITES}/{index:05d}.jpg"
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        sample.picture.save(target, quality=QUALITY)
        self._count()
        pasted = len(sample.boxes) - len(scene.boxes)
        unknown = np.full((pasted, scene.attributes.shape[1]), UNKNOWN, dtype=np.int64)
        attributes = np.concatenate([scene.attributes, unknown])
        return ImageAnnotation(path, sample.boxes, sample.landmarks, attributes), pasted

    def _count(self) -> None:
        self.done += 1
        self.on_progress(Progress("pictures", self.done, self.total))
        if self.should_stop():
            raise InterruptedRunError(
                f"stopped after {self.done:,} of {self.total:,} pictures",
                "nothing was left behind: run the command again",
            )
