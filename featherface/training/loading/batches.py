"""Batches of a train split, each determined by (seed, epoch, number) alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from featherface.data.augmentation.transforms import augmented
from featherface.data.difficulty import easiest_first
from featherface.data.images import open_picture
from featherface.data.sample import Sample
from featherface.errors import DataError
from featherface.losses.assignment import Targets
from featherface.training.loading.loader import CollatedDataset, Loader, options
from featherface.training.loading.workers import ahead, makes_beside, this_machine, workers_for
from featherface.training.optimization.curriculum import (
    pictures_of,
    share_of,
    side_of_batch,
    view_of,
)
from featherface.training.optimization.memory_format import lay_out_picture, stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray
    from PIL import Image
    from torch import Tensor

    from featherface.data.annotation import ImageAnnotation
    from featherface.data.widerface import Split
    from featherface.training.config.train import TrainConfig

CACHE_BYTES = 2**30
"""Most memory for decoded pictures, of all processes together."""
CPU = torch.device("cpu")
SHUFFLE, AUGMENT = 1, 2
"""Streams of random numbers, so that order and augmentation don't depend on each other."""


class Batch(NamedTuple):
    """One batch of B pictures, as a training step takes it."""

    images: Tensor
    """(B, 3, S, S) uint8 blue, green, red: the mean is taken off where they are used."""
    targets: Targets
    paths: tuple[str, ...]
    """Of the pictures, relative to the split's images folder."""
    names: tuple[bytes, ...] = ()
    """Hash of each picture's pixels, where that was asked for."""


class Item(NamedTuple):
    """One picture, ready for the network."""

    image: Tensor
    """(3, S, S) uint8."""
    boxes: Tensor
    """(n, 4) corners in shares of the side."""
    landmarks: Tensor
    """(n, 10) in shares of the side, NaN where unknown."""
    path: str
    name: bytes = b""
    """Hash of the pixels, where it was asked for."""


class TrainingPictures(Dataset[Item]):
    """The train split, augmented; an item's key is (view, index), or those and its side.

    What an item looks like follows from its key and the seed. NAMED items carry a hash of that.
    Each of so many HOLDERS, processes with these pictures, keeps its part of what memory holds.
    """

    def __init__(
        self,
        split: Split,
        config: TrainConfig,
        mean: tuple[float, float, float],
        *,
        named: bool = False,
        holders: int = 1,
    ) -> None:
        self.split, self.named = split, named
        self.config = config
        self.mean = np.array(mean, dtype=np.float32)
        self.cached: dict[int, Image.Image] = {}
        self.room = CACHE_BYTES // max(1, holders) if config.cache else 0

    def __len__(self) -> int:
        return len(self.split.images)

    def __getitem__(self, key: tuple[int, ...]) -> Item:
        view, index, *rest = key
        config = self.config
        rng = np.random.default_rng([config.seed, AUGMENT, view, index])
        side = rest[0] if rest else config.image_size
        sample = augmented(self.sample(index), config.augmentations, side, rng)
        return self._item(sample, self.split.images[index])

    def sample(self, index: int) -> Sample:
        """Return picture INDEX with its faces, as it is on the disk."""
        annotation, config = self.split.images[index], self.config
        return Sample(
            self._picture(index),
            annotation.boxes,
            annotation.landmarks,
            config.crop_scales,
            config.zoom_scales,
            self._partner,
        )

    def _partner(self, rng: Generator) -> Sample:
        return self.sample(int(rng.integers(len(self))))

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
        side = float(sample.size[0])
        boxes = sample.boxes.clip(0, side)
        visible = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return Item(
            lay_out_picture(sample.picture, self.config),
            torch.from_numpy(boxes[visible] / side),
            torch.from_numpy(sample.landmarks[visible] / side),
            annotation.path,
            self._name(np.asarray(sample.picture)) if self.named else b"",
        )

    def _name(self, pixels: NDArray[np.uint8]) -> bytes:
        """Return a hash of the PIXELS (S, S, 3) and of the mean that is taken off them."""
        digest = hashlib.blake2b(self.mean.tobytes(), digest_size=16)
        digest.update(repr(pixels.shape).encode())
        digest.update(pixels.tobytes())
        return digest.digest()


@dataclass
class EpochBatches:
    """Batches of (view, index, side) keys in the order of one epoch, for one process of several."""

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
    config: TrainConfig | None = None
    """Changes size, batch and choice of pictures from epoch to epoch; None: nothing changes."""
    easiest: NDArray[np.int64] | None = None
    """(n,) indices by rising difficulty, where there is a curriculum."""

    def __len__(self) -> int:
        """Batches in the current epoch; what does not fill a step is dropped, unless it is all."""
        return self.batches(self.epoch)

    def batches(self, epoch: int) -> int:
        """Return how many batches EPOCH has."""
        return max(1, self.pictures // (self._global_batch(epoch) * self.group)) * self.group

    def _local_batch(self, epoch: int) -> int:
        """Pictures in a batch of this process."""
        return self.batch_size if self.config is None else pictures_of(self.config, epoch)

    def _global_batch(self, epoch: int) -> int:
        """Pictures in a batch of all processes."""
        return self._local_batch(epoch) * self.processes

    def __iter__(self) -> Iterator[list[tuple[int, ...]]]:
        epoch, local = self.epoch, self._local_batch(self.epoch)
        total = local * self.processes
        order = np.resize(self._order(), len(self) * total)  # repeats where there are few
        view = epoch if self.config is None else view_of(self.config, epoch)
        for number in range(self.start, len(self)):
            first = number * total + self.rank * local
            side = () if self.config is None else (side_of_batch(self.config, epoch, number),)
            yield [(view, int(index), *side) for index in order[first : first + local]]

    def _order(self) -> NDArray[np.int64]:
        """Shuffle the pictures of the epoch: all of them, or the easiest."""
        rng = np.random.default_rng([self.seed, SHUFFLE, self.epoch])
        if self.easiest is None or self.config is None:
            return rng.permutation(self.pictures)
        count = max(1, round(share_of(self.config, self.epoch) * self.pictures))
        return self.easiest[rng.permutation(count)]


def ordered(split: Split, config: TrainConfig, rank: int = 0, processes: int = 1) -> EpochBatches:
    """Return the batches of SPLIT as CONFIG wants them, for process RANK of so many."""
    return EpochBatches(
        len(split.images),
        config.pictures,
        config.seed,
        group=config.accumulate,
        rank=rank,
        processes=processes,
        config=config,
        easiest=easiest_first(split.images) if config.curriculum else None,
    )


def load(
    split: Split,
    config: TrainConfig,
    mean: tuple[float, float, float],
    order: EpochBatches,
    *,
    named: bool = False,
    device: torch.device = CPU,
) -> Loader[Batch]:
    """Return the loader of batches in ORDER, whose epoch and start may be set between epochs.

    The pictures of NAMED batches can be told from all others by their names. DEVICE is where they
    are wanted, which decides what `workers: auto` is.

    Raises:
        DataError: the split holds no face at all.
    """
    if not split.annotations.faces:
        raise DataError(
            f"no face in the {split.name} split of {split.root}: nothing to learn",
            "check the annotation: thesis data stats",
        )
    machine = this_machine(order.processes)
    workers = workers_for(config, device.type, len(split.images), machine)
    pictures = TrainingPictures(split, config, mean, named=named, holders=workers)
    settings = options(workers, device.type, ahead(workers, config))
    loader = Loader(CollatedDataset(pictures, collate), order, settings)
    loader.beside = workers > 0 or makes_beside(device.type, torch.get_num_threads(), machine)
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
    images = stack([item.image for item in items])
    names = tuple(item.name for item in items if item.name)
    return Batch(images, targets, tuple(item.path for item in items), names)


def empty_targets(pictures: int, faces: int) -> Targets:
    """Return targets that are all padding."""
    return Targets(
        torch.zeros(pictures, faces, 4),
        torch.zeros(pictures, faces, 10),
        torch.zeros(pictures, faces, dtype=torch.bool),
        torch.zeros(pictures, faces, dtype=torch.bool),
    )
