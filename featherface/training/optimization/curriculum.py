"""Schedules by epoch and batch: input size, batch size, share of pictures, augmentation view.

Everything here follows from the configuration, the epoch and the batch's number alone, so that a
training that goes on after a crash goes on as it would have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from featherface.training.config.train import TrainConfig

STRIDE = 32
"""Pixels that a side must be a multiple of."""
FIRST_SHARE = 1 / 3
"""Of the pictures, the easiest, that the first epoch of a curriculum sees."""
SCALE = 3
"""Stream of random numbers, beside those of order and augmentation."""


def side_of(config: TrainConfig, epoch: int) -> int:
    """Return the side in pixels that EPOCH (from 0) trains at, before any multi-scale."""
    sides = config.progressive or (config.image_size,)
    return sides[min(len(sides) - 1, epoch * len(sides) // config.epochs)]


def pictures_of(config: TrainConfig, epoch: int) -> int:
    """Return the pictures in a batch of EPOCH: more where they are smaller, for the same memory."""
    return int(config.pictures * (config.image_size / side_of(config, epoch)) ** 2)


def view_of(config: TrainConfig, epoch: int) -> int:
    """Return which augmentation of each picture EPOCH (from 0) sees."""
    return epoch % config.views if config.views else epoch


def side_of_batch(config: TrainConfig, epoch: int, number: int) -> int:
    """Return the side in pixels of batch NUMBER: a multiple of STRIDE, drawn from the seed."""
    side = side_of(config, epoch)
    if not config.multi_scale:
        return side
    random = np.random.default_rng([config.seed, SCALE, epoch, number])
    return _scaled(side, config.multi_scale[int(random.integers(len(config.multi_scale)))])


def largest_side(config: TrainConfig) -> int:
    """Return the most pixels that a side has in the batches of `image_size`."""
    return _scaled(config.image_size, max(config.multi_scale, default=1.0))


def _scaled(side: int, factor: float) -> int:
    return max(2 * STRIDE, round(side * factor / STRIDE) * STRIDE)


def holds_backbone(config: TrainConfig, epoch: int) -> bool:
    """Return whether the backbone stays as it began in EPOCH."""
    return epoch < round(config.frozen_backbone * config.epochs)


def share_of(config: TrainConfig, epoch: int) -> float:
    """Return the share of the pictures, easiest first, that EPOCH draws from."""
    last = config.curriculum * config.epochs
    if epoch >= last:
        return 1.0
    return FIRST_SHARE + (1 - FIRST_SHARE) * epoch / last
