"""Probes of how a training goes: pictures, their order, the schedule, a step, the best weights."""

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
from featherface.probes.network import built
from featherface.probes.numbers import summary, tensor
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
    from featherface.probes.settings import Settings
    from featherface.training.config.train import TrainConfig

DRAWN = 6
"""Times that each picture is augmented."""
STEPS = 40
"""Optimizer steps of the training whose schedule is looked at."""
PICTURES = 11
"""Of the split whose order is looked at."""
LARGEST = 160
"""Pixels of a synthetic picture's side: a larger one is drawn by the same strokes."""


def pictures(settings: Settings) -> Values:
    """Give what the network is shown of some pictures, and the faces it is to find there."""
    config = dataclasses.replace(settings.train, image_size=SIDE)
    mean = settings.model.pixel_mean
    source = TrainingPictures(split(), config, mean)
    source.cached = {place: scene.picture for place, scene in enumerate(scenes())}
    pixels = torch.tensor(mean, dtype=torch.float32)
    values: Values = []
    for view in range(DRAWN):
        batch = collate([source[view, index] for index in range(len(source))])
        shown = upload_centred(batch.images, pixels).double()
        values += shown.mean(dim=(2, 3)).flatten().tolist()
        values += [*summary(shown)[1:2], float(shown.std())]
        faces = batch.targets.boxes[batch.targets.faces]
        values += [float(batch.targets.marked.sum()), *summary(faces)]
        values += summary(batch.targets.landmarks)
    return values


def synthetic_set(settings: Settings) -> Values:
    """Give what is drawn, one picture of each kind, and which faces count in which subset."""
    if settings.synthetic is None:
        return []
    side = min(LARGEST, settings.synthetic.image_size)
    config = dataclasses.replace(settings.synthetic, image_size=side)
    values: Values = []
    for place, event in enumerate(EVENTS):
        rng = np.random.default_rng([0, place])
        picture, annotation = draw_picture(rng, config, event, "probe.jpg")
        pixels = np.asarray(picture, dtype=np.float64)
        values += [*pixels.mean(axis=(0, 1)).tolist(), float(pixels.std())]
        values += [*summary(annotation.boxes), *summary(annotation.landmarks)]
        values += summary(annotation.attributes)
        values += [float(len(rows)) for rows in subsets(annotation).values()]
    return values


def order(settings: Settings) -> Values:
    """Give which pictures the batches of some epochs hold, at which side, and what is held back."""
    config = settings.train
    easiest = easiest_first(split().images) if config.curriculum else None
    count = PICTURES if easiest is None else len(easiest)
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


def schedule(settings: Settings) -> Values:
    """Give the learning rate of every step of a short training."""
    return [learning_rate(settings.train, step, STEPS) for step in range(STEPS)]


def groups(settings: Settings) -> Values:
    """Give which parameters of the network decay, and how much."""
    return [
        number
        for group in parameter_groups(built(settings.model).model, settings.train)
        for number in (
            float(len(group["params"])),
            float(sum(value.numel() for value in group["params"])),
            float(group["weight_decay"]),
        )
    ]


def optimizer(settings: Settings) -> Values:
    """Give which optimizer trains, and what it is made with.

    None is made: to load what PyTorch wants for that takes seconds.
    """
    kind = OPTIMIZERS[settings.train.optimizer]
    arguments = kind.arguments(settings.train)
    names = sorted(arguments)
    told = zlib.crc32("".join([kind.make.__name__, *names]).encode())
    return [float(told), *(float(arguments[name]) for name in names)]


class _Learner(nn.Module):
    """A network of three parameters' kinds, with gradients that are known."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.double()
        with torch.no_grad():
            for name, value in self.state_dict().items():
                if value.is_floating_point():
                    value.copy_(0.5 * tensor(f"learner {name}", *value.shape) + 0.1)


def steps(settings: Settings) -> Values:
    """Give the rate, the gradient as it is clipped, the weights and their average, in some steps.

    Each step goes down the gradient and decays, as the plainest optimizer does.
    """
    model = _Learner()
    session = _session(model, settings.train)
    values: Values = []
    for place in range(3):
        session.begin_epoch()
        session.set_rate()
        for name, value in model.named_parameters():
            value.grad = 8.0 * tensor(f"gradient {place} {name}", *value.shape)
        values += [float(session.clip()), float(session.optimizer.param_groups[0]["lr"])]
        values += [float(one.grad.norm()) for one in model.parameters() if one.grad is not None]
        _descend(session.optimizer.param_groups)
        session.count({"loss": 1.0}, pictures=2)
        for kept in dict.fromkeys((model, session.evaluated_model)):
            values += [n for one in kept.parameters() for n in summary(one)[1:]]
    return values


@torch.no_grad()
def _descend(groups: Iterable[Mapping[str, Any]]) -> None:
    for group in groups:
        for value in group["params"]:
            value.sub_(group["lr"] * (value.grad + group["weight_decay"] * value))


def best(settings: Settings) -> Values:
    """Give which of several evaluations is taken for the best, and after which it is enough."""
    session = _session(_Learner(), settings.train)
    found = iter((0.30, 0.52, 0.52, 0.41, 0.53, 0.20))
    session.evaluate = lambda _model, _epoch: {"first": next(found), "second": 1.0}
    values: Values = []
    for _ in range(6):
        session.judge()
        place = session.place
        values += [float(place.best or 0), float(place.waited), float(session.finished)]
    return values


def _session(model: _Learner, config: TrainConfig) -> TrainingSession:
    """Return a training of MODEL in one process, as far as it can be without files."""
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
