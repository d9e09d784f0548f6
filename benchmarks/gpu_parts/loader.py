"""Pictures per second that reach the device, by number of workers."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import open_split
from featherface.profiling.timing import wait
from featherface.training.config.train import TrainConfig
from featherface.training.loading.batches import load, ordered
from featherface.training.optimization.memory_format import upload_centred
from featherface.variants.table import variant

if TYPE_CHECKING:
    from gpu_parts.answers import Answers, Setting


def by_workers(setting: Setting, answers: Answers) -> None:
    """A second epoch's rate, so that workers are there already; pictures as large as real ones."""
    side, pictures = setting.pick((640, 384), (64, 8))
    root = setting.output / "loader-set"
    if not root.is_dir():
        drawn = SyntheticConfig(
            image_size=setting.pick(1024, 96), train_images=pictures, val_images=1
        )
        draw(root, drawn)
    split = open_split(root, "train")
    batch = setting.pick(32, 2)
    base = TrainConfig(
        batch_size=batch, image_size=side, device=setting.name, cache=False, epochs=3
    )
    cores = os.cpu_count() or 1
    for workers in sorted({0, 1, 2, 4, 8, 12, cores - 1} & set(range(setting.pick(cores, 2)))):
        config = replace(base, workers=workers)
        order = ordered(split, config)
        detector, device = variant("v2"), setting.device
        loader = load(split, config, detector.pixel_mean, order, device=device)
        mean = torch.tensor(detector.pixel_mean, device=device)
        rates = []
        for epoch in range(2):
            order.epoch, order.start = epoch, 0
            begun, seen = time.perf_counter(), 0
            for one in loader:
                seen += len(upload_centred(one.images, mean))
            wait(device)
            rates.append(seen / (time.perf_counter() - begun))
        loader.end()
        answers.row("loader", workers=workers, first_epoch=rates[0], later_epochs=rates[1])
