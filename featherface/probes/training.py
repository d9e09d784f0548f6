"""Probes of the training loop's parts: augmentation, batches, schedule, steps, model selection."""

from __future__ import annotations

import dataclasses
import zlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn

from featherface.data.difficulty import easiest_first
from featherface.data.synthetic.composition import EVENTS, draw_picture
from featherface.data.synthetic.dataset import subsets
from featherface.networks.pixels import ordered_and_scaled
from featherface.probes.network import build_network
from featherface.probes.numbers import noise_tensor, summary
from featherface.probes.scenes import SIDE, scenes, split
from featherface.training.loading.batches import EpochBatches, TrainingPictures, collate
from featherface.training.optimization.curriculum import (
    holds_backbone,
    pictures_of,
    share_of,
    side_of,
)
from featherface.training.optimization.memory_format import upload_centred
from featherface.training.optimization.moving_average import MovingAverage
from featherface.training.optimization.optimizers import OPTIMIZERS, parameter_groups
from featherface.training.optimization.schedules import learning_rate
from featherface.training.session import TrainingSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings
    from featherface.training.config.train import TrainConfig

VIEWS = 6
"""Augmented views of each picture."""
STEPS = 40
"""Optimizer steps of the training whose schedule is evaluated."""
SPLIT_SIZE = 11
"""Pictures of the split that batches are drawn from."""
LARGEST_SIDE = 160
"""Pixels of a synthetic picture's side: a larger one is drawn by the same strokes."""


def pictures(settings: ProbeSettings) -> Values:
    """Return augmented pictures as the network gets them, and their targets."""
    config = dataclasses.replace(settings.train, image_size=SIDE)
    mean = settings.model.pixel_mean
    source = TrainingPictures(split(), config, mean)
    source.cached = {index: scene.picture for index, scene in enumerate(scenes())}
    pixels = torch.tensor(mean, dtype=torch.float32)
    values: Values = []
    for view in range(VIEWS):
        batch = collate([source[view, index] for index in range(len(source))])
        centred = upload_centred(batch.images, pixels)  # (B, 3, H, W)
        images = ordered_and_scaled(centred, settings.model).double()
        values += images.mean(dim=(2, 3)).flatten().tolist()
        values += [*summary(images)[1:2], float(images.std())]
        faces = batch.targets.boxes[batch.targets.faces]
        values += [float(batch.targets.marked.sum()), *summary(faces)]
        values += summary(batch.targets.landmarks)
    return values


def synthetic_set(settings: ProbeSettings) -> Values:
    """Return a synthetic picture of each event, its faces, and those of each subset."""
    if settings.synthetic is None:
        return []
    side = min(LARGEST_SIDE, settings.synthetic.image_size)
    config = dataclasses.replace(settings.synthetic, image_size=side)
    values: Values = []
    for index, event in enumerate(EVENTS):
        rng = np.random.default_rng([0, index])
        picture, annotation = draw_picture(rng, config, event, "probe.jpg")
        pixels = np.asarray(picture, dtype=np.float64)
        values += [*pixels.mean(axis=(0, 1)).tolist(), float(pixels.std())]
        values += [*summary(annotation.boxes), *summary(annotation.landmarks)]
        values += summary(annotation.attributes)
        values += [float(len(rows)) for rows in subsets(annotation).values()]
    return values


def order(settings: ProbeSettings) -> Values:
    """Return the batches of some epochs, their side, and what the curriculum holds back."""
    config = settings.train
    easiest = easiest_first(split().images) if config.curriculum else None
    count = SPLIT_SIZE if easiest is None else len(easiest)
    batches = EpochBatches(
        count, config.pictures, 0, group=config.accumulate, config=config, easiest=easiest
    )
    values: Values = []
    for epoch in sorted({0, 1, config.epochs // 3, config.epochs // 2, config.epochs - 1}):
        batches.epoch = epoch
        first = next(iter(batches))
        values += [float(len(batches)), float(side_of(config, epoch)), share_of(config, epoch)]
        values += [float(pictures_of(config, epoch)), float(holds_backbone(config, epoch))]
        values += summary([number for key in first for number in key])
    return values


def schedule(settings: ProbeSettings) -> Values:
    """Return the learning rate of every step of a short training."""
    return [learning_rate(settings.train, step, STEPS) for step in range(STEPS)]


def weight_decay_groups(settings: ProbeSettings) -> Values:
    """Return size and weight decay of each parameter group."""
    return [
        number
        for group in parameter_groups(build_network(settings.model).model, settings.train)
        for number in (
            float(len(group["params"])),
            float(sum(value.numel() for value in group["params"])),
            float(group["weight_decay"]),
        )
    ]


def optimizer(settings: ProbeSettings) -> Values:
    """Return a checksum of the optimizer's class and argument names, and the arguments.

    None is constructed: PyTorch loads its compiler for that, which takes seconds.
    """
    kind = OPTIMIZERS[settings.train.optimizer]
    arguments = kind.arguments(settings.train)
    names = sorted(arguments)
    checksum = zlib.crc32("".join([kind.make.__name__, *names]).encode())
    return [float(checksum), *(float(arguments[name]) for name in names)]


class _SmallNetwork(nn.Module):
    """A convolution and a normalisation in float64, with fixed weights."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.double()
        with torch.no_grad():
            for name, value in self.state_dict().items():
                if value.is_floating_point():
                    value.copy_(0.5 * noise_tensor(f"learner {name}", *value.shape) + 0.1)


def steps(settings: ProbeSettings) -> Values:
    """Return rate, clipped gradient, weights and their moving average over three steps.

    Each step is plain gradient descent with weight decay.
    """
    model = _SmallNetwork()
    session = _session(model, settings.train)
    values: Values = []
    for step in range(3):
        session.begin_epoch()
        session.set_rate()
        for name, value in model.named_parameters():
            value.grad = 8.0 * noise_tensor(f"gradient {step} {name}", *value.shape)
        values += [float(session.clip()), float(session.optimizer.param_groups[0]["lr"])]
        values += [float(p.grad.norm()) for p in model.parameters() if p.grad is not None]
        _gradient_descent(session.optimizer.param_groups)
        session.count({"loss": 1.0}, pictures=2)
        for weights in dict.fromkeys((model, session.evaluated_model)):
            values += [n for parameter in weights.parameters() for n in summary(parameter)[1:]]
    return values


@torch.no_grad()
def _gradient_descent(groups: Iterable[Mapping[str, Any]]) -> None:
    for group in groups:
        for value in group["params"]:
            value.sub_(group["lr"] * (value.grad + group["weight_decay"] * value))


def best_weights(settings: ProbeSettings) -> Values:
    """Return the best metric, the epochs without a better one, and when training stops early."""
    session = _session(_SmallNetwork(), settings.train)
    metrics = iter((0.30, 0.52, 0.52, 0.41, 0.53, 0.20))
    session.evaluate = lambda _model, _epoch: {"first": next(metrics), "second": 1.0}
    values: Values = []
    for _ in range(6):
        session.judge()
        place = session.place
        values += [float(place.best or 0), float(place.waited), float(session.finished)]
    return values


def _session(model: _SmallNetwork, config: TrainConfig) -> TrainingSession:
    """Return a training session of MODEL in one process, without files."""
    average = MovingAverage(model, config.ema) if config.ema else None
    alone = SimpleNamespace(
        scaler=None,
        num_processes=1,
        process_index=0,
        is_main_process=True,
        sync_gradients=True,
        clip_grad_norm_=torch.nn.utils.clip_grad_norm_,
    )
    nowhere = cast("Path", None)
    return TrainingSession(
        cast("Any", alone),
        cast("Any", model),
        average,
        SimpleNamespace(param_groups=parameter_groups(model, config)),
        config,
        nowhere,
        STEPS,
    )
