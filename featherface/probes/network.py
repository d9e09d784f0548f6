"""Probes of the network: what it answers with fixed weights, how it learns, what it counts.

Weights follow from their names, not from the initialisation: another way to draw them changes
what is trained, and not what a trained network says.
"""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from featherface.geometry.boxes import decode_all
from featherface.geometry.priors import priors
from featherface.networks import detector
from featherface.probes.numbers import (
    HEIGHT,
    WIDTH,
    fill,
    noise,
    picture,
    summaries,
    summary,
    tensor,
)
from featherface.profiling import counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from featherface.networks.detector import Detector, RawOutput
    from featherface.probes.numbers import Values
    from featherface.probes.settings import Settings
    from featherface.variants.config import DetectorConfig


class Built(NamedTuple):
    """A network with fixed weights in float64, and what was known of it before."""

    model: Detector
    """In evaluation mode; shared between probes, so not to be changed."""
    drawn: Values
    """Of the weights that a seed gave it."""
    sizes: Values
    """Parameters, those that the paper counts, megabytes."""


KEPT = 16
"""Networks that stay in memory, of up to 5 MB in float64, with what they say of the picture."""


@functools.lru_cache(maxsize=KEPT)
def built(config: DetectorConfig) -> Built:
    """Return the network of CONFIG; its making costs more than any probe of it."""
    model = detector.build(config, seed=0)
    drawn = _drawn(model)
    sizes = [
        counting.parameters(model),
        counting.paper_counted(model),
        counting.weights_megabytes(model),
    ]
    fill(model)
    return Built(model.double().eval(), drawn, [float(size) for size in sizes])


def _drawn(model: Detector) -> Values:
    """Sum up the drawn weights of each part of MODEL, tensor by tensor in the order of names."""
    parts: dict[str, float] = {}
    for name, value in sorted(model.state_dict().items()):
        numbers = value.double().flatten()
        half = numbers[::2]  # a sum alone would not see an order
        found = float(numbers.mean()) + float(half.mean()) + float(numbers.square().mean().sqrt())
        part = name.partition(".")[0]
        parts[part] = parts.get(part, 0.0) + found
    return list(parts.values())


class Answer(NamedTuple):
    """What a network says of the picture, and the work that it took."""

    output: RawOutput
    macs: int


@functools.lru_cache(maxsize=KEPT)
def _answer(config: DetectorConfig) -> Answer:
    model, macs = built(config).model, [0]

    def count(module: nn.Module, _inputs: object, output: Tensor) -> None:
        macs[0] += counting.layer_macs(module, output)

    counted = [module for module in model.modules() if isinstance(module, counting.COUNTED)]
    hooks = [module.register_forward_hook(count) for module in counted]
    try:
        with torch.no_grad():
            return Answer(model(picture()), macs[0])
    finally:
        for hook in hooks:
            hook.remove()


def outputs(settings: Settings) -> Values:
    """Give what the network says of a picture: boxes, logits and landmarks."""
    return summaries(_answer(settings.model).output)


def teacher(settings: Settings) -> Values:
    """Give the same of a teacher that no run of ours trained."""
    return [] if settings.teacher is None else summaries(_answer(settings.teacher).output)


def counts(settings: Settings) -> Values:
    """Give parameters, those that the paper counts, megabytes and multiply-accumulates.

    How these grow with the picture is seen on one convolution: all layers grow alike.
    """
    layer = nn.Conv2d(3, 2, 3, padding=1, stride=16)
    grown = [counting.macs(layer, size) for size in (640, (320, 352))]
    return [*built(settings.model).sizes, float(_answer(settings.model).macs), *map(float, grown)]


def initial(settings: Settings) -> Values:
    """Give sums over the weights that a seed draws."""
    return built(settings.model).drawn


def anchors(settings: Settings) -> Values:
    """Give the priors of a picture, and what fixed deltas make of them."""
    near = priors(settings.model, HEIGHT, WIDTH).double()
    deltas = tensor("boxes", len(near), 4), tensor("landmarks", len(near), 10)
    return [*summary(near), *summaries(decode_all(settings.model, *deltas, near))]


def learning(settings: Settings) -> Values:
    """Give outputs in training, the gradient of each part, and the running statistics after."""
    model = built(settings.model).model
    with _in_training(model):
        output = model(picture(2, HEIGHT, HEIGHT))
        loss = sum((tensor("gradient", *one.shape) * one).mean() for one in output)
        loss.backward()
        sums: dict[str, float] = {}
        for name, value in sorted(model.named_parameters()):
            if value.grad is not None:
                weights = 1.0 + 0.5 * noise(name, value.numel())
                part = name.partition(".")[0]
                sums[part] = sums.get(part, 0.0) + float(weights @ value.grad.flatten().numpy())
        followed = [value for name, value in sorted(model.named_buffers()) if "running" in name]
        statistics = [float(value.mean()) for value in followed]
    return [*summaries(output), *sums.values(), *summary(statistics)]


@contextlib.contextmanager
def _in_training(model: nn.Module) -> Iterator[None]:
    """Let MODEL train inside the block; without a gradient and as it was before afterwards."""
    kept = [buffer.clone() for buffer in model.buffers()]
    model.train()
    try:
        yield
    finally:
        for buffer, before in zip(model.buffers(), kept, strict=True):
            buffer.copy_(before)
        model.zero_grad()
        model.eval()


def forget() -> None:
    """Free what is kept of networks."""
    built.cache_clear()
    _answer.cache_clear()
