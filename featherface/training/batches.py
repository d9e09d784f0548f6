"""From a split to batches; what a batch holds follows from (seed, epoch, number) alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from featherface.assignment import Targets
from featherface.data.augmentation import AUGMENTATIONS, Sample, resize
from featherface.data.images import open_picture
from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL import Image
    from torch import Tensor

    from featherface.data.annotation import ImageAnnotation
    from featherface.data.widerface import Split
    from featherface.training.config import TrainConfig

CACHE_BYTES = 2**30
"""Most memory for decoded pictures."""
SHUFFLE, AUGMENT = 1, 2
"""Streams of random numbers, so that order and augmentation don't depend on each other."""


class Batch(NamedTuple):
    """What one step sees."""

    images: Tensor
    """(B, 3, S, S) blue, green, red minus the mean."""
    targets: Targets
    paths: tuple[str, ...]
    """Of the pictures, relative to the split's images folder."""


class Item(NamedTuple):
    """One picture, ready for the network."""

    image: Tensor
    """(3, S, S)."""
    boxes: Tensor
    """(n, 4) corners in shares of the side."""
    landmarks: Tensor
    """(n, 10) in shares of the side, NaN where unknown."""
    path: str


class TrainingPictures(Dataset[Item]):
    """The train split, augmented; an item's key is (epoch, index)."""

    def __init__(self, split: Split, config: TrainConfig, mean: tuple[float, float, float]) -> None:
        self.split = split
        self.config = config
        self.mean = np.array(mean, dtype=np.float32)
        self.cached: dict[int, Image.Image] = {}
        self.room = CACHE_BYTES if config.cache and config.workers == 0 else 0

    def __len__(self) -> int:
        return len(self.split.images)

    def __getitem__(self, key: tuple[int, int]) -> Item:
        epoch, index = key
        config = self.config
        rng = np.random.default_rng([config.seed, AUGMENT, epoch, index])
        annotation = self.split.images[index]
        sample = Sample(
            self._picture(index), annotation.boxes, annotation.landmarks, config.crop_scales
        )
        for name, augment in AUGMENTATIONS.items():
            if name in config.augmentations:
                sample = augment(sample, rng)
        return self._item(resize(sample, config.image_size, rng), annotation)

    def _picture(self, index: int) -> Image.Image:
        if index in self.cached:
            return self.cached[index]
        picture = open_picture(self.split.path(self.split.images[index]))
        needed = picture.width * picture.height * 4  # Pillow keeps four bytes for each RGB pixel
        if needed <= self.room:
            self.room -= needed
            self.cached[index] = picture
        return picture

    def _item(self, sample: Sample, annotation: ImageAnnotation) -> Item:
        pixels = np.asarray(sample.picture)[:, :, ::-1].astype(np.float32) - self.mean
        side = float(sample.size[0])
        boxes = sample.boxes.clip(0, side)
        visible = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return Item(
            torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))),
            torch.from_numpy(boxes[visible] / side),
            torch.from_numpy(sample.landmarks[visible] / side),
            annotation.path,
        )


@dataclass
class EpochBatches:
    """Batches of (epoch, index) keys in the order of one epoch, for one process of several."""

    pictures: int
    batch_size: int
    seed: int
    epoch: int = 0
    start: int = 0
    """Batches of the epoch that were trained before an interruption."""
    group: int = 1
    """Batches that make one optimizer step; an epoch is a multiple of it."""
    rank: int = 0
    processes: int = 1

    def __len__(self) -> int:
        """Batches in a whole epoch; what does not fill a step is dropped, unless it is all."""
        return max(1, self.pictures // (self._together * self.group)) * self.group

    @property
    def _together(self) -> int:
        """Pictures in a batch of all processes."""
        return self.batch_size * self.processes

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        order = np.random.default_rng([self.seed, SHUFFLE, self.epoch]).permutation(self.pictures)
        order = np.resize(order, len(self) * self._together)  # repeats pictures of a tiny split
        for number in range(self.start, len(self)):
            first = number * self._together + self.rank * self.batch_size
            yield [(self.epoch, int(index)) for index in order[first : first + self.batch_size]]


def load(
    split: Split, config: TrainConfig, mean: tuple[float, float, float], order: EpochBatches
) -> DataLoader[Batch]:
    """Return the loader of batches in ORDER, whose epoch and start may be set between epochs.

    Raises:
        DataError: the split holds no face at all.
    """
    if not split.annotations.faces:
        raise DataError(
            f"no face in the {split.name} split of {split.root}: nothing to learn",
            "check the annotation: thesis data stats",
        )
    loader: DataLoader[Batch] = DataLoader(
        TrainingPictures(split, config, mean),  # type: ignore[arg-type]  # collate makes Batches
        batch_sampler=order,
        num_workers=config.workers,
        collate_fn=collate,
        multiprocessing_context="spawn" if config.workers else None,
    )
    return loader


def collate(items: Sequence[Item]) -> Batch:
    """Stack pictures and pad faces to the picture with the most."""
    most = max(len(item.boxes) for item in items)
    targets = empty_targets(len(items), most)
    for row, item in enumerate(items):
        count = len(item.boxes)
        known = ~item.landmarks.isnan().any(1)
        targets.boxes[row, :count] = item.boxes
        targets.landmarks[row, :count] = item.landmarks.nan_to_num(0.0)
        targets.faces[row, :count] = True
        targets.marked[row, :count] = known
    images = torch.stack([item.image for item in items])
    return Batch(images, targets, tuple(item.path for item in items))


def empty_targets(pictures: int, faces: int) -> Targets:
    """Return targets that are all padding."""
    return Targets(
        torch.zeros(pictures, faces, 4),
        torch.zeros(pictures, faces, 10),
        torch.zeros(pictures, faces, dtype=torch.bool),
        torch.zeros(pictures, faces, dtype=torch.bool),
    )
