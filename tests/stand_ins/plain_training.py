"""Training as a loop over plain tensors: what the trainer must give, number by number.

Nothing of the trainer is used but its batches; the optimizers, schedules, clipping and averages
are written out as their papers have them.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from stand_ins import plain_losses

from featherface.geometry.priors import priors
from featherface.training.loading.batches import load, ordered


def epochs_of(split, config, model):
    """Return the batches of each epoch."""
    order = ordered(split, config)
    loader = load(split, config, model.config.pixel_mean, order, named=True)
    batches = []
    for epoch in range(config.epochs):
        order.epoch = epoch
        batches.append(list(loader))
    return batches


def rate(config, step, total):
    """Return the learning rate of STEP (from 0) of TOTAL."""
    rising = config.warmup * total
    if config.schedule == "onecycle":
        first, last = config.lr / 25, config.lr / 250_000
        if step < rising:
            return config.lr - (config.lr - first) * (1 + math.cos(math.pi * step / rising)) / 2
        share = (step - rising) / (total - 1 - rising)
        return last + (config.lr - last) * (1 + math.cos(math.pi * share)) / 2
    if step < rising:
        return config.lr * (step + 1) / (rising + 1)
    if config.schedule == "cosine":
        return config.lr * (1 + math.cos(math.pi * (step - rising) / (total - rising))) / 2
    passed = sum(1 for share in config.steps_at if step >= share * total)
    return config.lr * (0.1**passed if config.schedule == "steps" else 1)


@dataclass
class PlainOptimizer:
    """AdamW (Loshchilov and Hutter, 2019) or SGD with Nesterov's momentum, tensor by tensor."""

    config: Any
    memory: dict = field(default_factory=dict)

    def step(self, name, value, gradient, lr, decay):
        """Move VALUE; DECAY is its weight decay."""
        if self.config.optimizer == "sgd":
            gradient = gradient + decay * value
            kept = self.memory.get(name)
            kept = gradient if kept is None else self.config.momentum * kept + gradient
            self.memory[name] = kept
            value -= lr * (gradient + self.config.momentum * kept)
            return
        count, mean, square = self.memory.get(name, (0, 0.0, 0.0))
        count, mean = count + 1, 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        self.memory[name] = count, mean, square
        value -= lr * decay * value
        value -= lr * mean / (1 - 0.9**count) / ((square / (1 - 0.999**count)).sqrt() + 1e-8)


class PlainAverage:
    """A copy that follows a network by EMA, faster at first."""

    def __init__(self, model, decay):
        self.model, self.decay = copy.deepcopy(model).eval(), decay

    def follow(self, model, step):
        decay = min(self.decay, (1 + step) / (10 + step))
        followed = model.state_dict()
        for name, value in self.model.state_dict().items():
            new = followed[name]
            value.copy_(decay * value + (1 - decay) * new if value.is_floating_point() else new)


@dataclass
class PlainTraining:
    """A training of `model` on the batches of `epochs_of`, step by step.

    `objective(training, images, batch, truth)` may turn the ground truth's loss into another;
    `beside` (name -> tensor) is trained with the model, and `averages` follow it.
    """

    model: Any
    config: Any
    objective: Any = None
    beside: dict = field(default_factory=dict)
    averages: list = field(default_factory=list)
    epoch: int = 0
    step: int = 0
    events: list = field(default_factory=list)
    maps: Any = None
    """Those of the present batch that enter the heads."""

    def run(self, epochs):
        """Train; return each step's numbers."""
        config, optimizer = self.config, PlainOptimizer(self.config)
        total = sum(map(len, epochs)) // config.accumulate
        self.average = PlainAverage(self.model, config.ema)
        for self.epoch, batches in enumerate(epochs):
            self.model.train()
            for first in range(0, len(batches), config.accumulate):
                group = batches[first : first + config.accumulate]
                self._step(group, optimizer, rate(config, self.step, total))
        return self.events

    def _step(self, group, optimizer, lr):
        trained = {**dict(self.model.named_parameters()), **self.beside}
        sums = dict.fromkeys(trained, 0.0)
        for batch in group:
            loss, parts = self.loss(batch)
            slopes = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
            for name, slope in zip(trained, slopes, strict=True):
                if slope is not None:
                    sums[name] = sums[name] + slope / len(group)
        sums = {name: value for name, value in sums.items() if isinstance(value, torch.Tensor)}
        norm = math.sqrt(sum(float((slope**2).sum()) for slope in sums.values()))
        bound = self.config.clip or math.inf
        factor = min(1.0, bound / (norm + 1e-6))  # PyTorch's guard against a norm of 0
        with torch.no_grad():
            for name, slope in sums.items():
                matrix = trained[name].ndim > 1 and name not in self.beside
                decay = self.config.weight_decay if matrix else 0.0
                optimizer.step(name, trained[name], factor * slope, lr, decay)
            self.step += 1
            for average in (self.average, *self.averages):
                average.follow(self.model, self.step)
        self.events.append({"learning_rate": lr, "gradient_norm": norm, **parts})

    def loss(self, batch):
        """Return the loss of BATCH, and its parts."""
        config, mean = self.config, torch.tensor(self.model.config.pixel_mean)
        images = batch.images.float() - mean.float().view(3, 1, 1)
        self.maps = self.model.features(images)
        output = self.model.predict(self.maps)
        box, face, landmark = plain_losses.multibox(
            output,
            priors(self.model.config, *images.shape[-2:]),
            batch.targets,
            config.loss,
            threshold=config.overlap,
            negatives=config.negatives,
            variances=self.model.config.variances,
        )
        truth = config.box_weight * box + face + config.landmark_weight * landmark
        loss, parts = truth, {}
        if self.objective is not None:
            loss, parts = self.objective(self, images, batch, truth, output)
        parts = {"box": box, "face": face, "landmark": landmark, **parts, "loss": loss}
        return loss, {name: float(value.detach()) for name, value in parts.items()}
