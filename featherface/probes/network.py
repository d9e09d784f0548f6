"""Probes of the network: outputs and gradients with fixed weights, initialisation, size.

Weights follow from their names, not from the initialisation: another way to draw them changes
what is trained, and not what a trained network outputs.
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
    fill_weights,
    noise,
    noise_pictures,
    noise_tensor,
    summaries,
    summary,
)
from featherface.profiling import counting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from featherface.networks.detector import Detector, RawOutput
    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings
    from featherface.variants.config import DetectorConfig


class BuiltNetwork(NamedTuple):
    """A network with fixed weights in float64, and what was measured before they were set."""

    model: Detector
    """In evaluation mode; shared between probes, so not to be changed."""
    initial_weights: Values
    """Sums over the weights that a seed draws."""
    sizes: Values
    """Parameters, those that the paper counts, megabytes."""


KEPT = 16
"""Networks that stay in memory, of up to 5 MB in float64, with their outputs for one picture."""


@functools.lru_cache(maxsize=KEPT)
def build_network(config: DetectorConfig) -> BuiltNetwork:
    """Return the network of CONFIG; building it costs more than any probe of it."""
    model = detector.build(config, seed=0)
    initial_weights = _weight_sums(model)
    sizes = [
        counting.parameters(model),
        counting.paper_counted(model),
        counting.weights_megabytes(model),
    ]
    fill_weights(model)
    return BuiltNetwork(model.double().eval(), initial_weights, [float(size) for size in sizes])


def _weight_sums(model: Detector) -> Values:
    """Return a sum over the weights of each part of MODEL, tensor by tensor in name order."""
    parts: dict[str, float] = {}
    for name, value in sorted(model.state_dict().items()):
        numbers = value.double().flatten()
        half = numbers[::2]  # a sum alone would not see an order
        total = float(numbers.mean()) + float(half.mean()) + float(numbers.square().mean().sqrt())
        part = name.partition(".")[0]
        parts[part] = parts.get(part, 0.0) + total
    return list(parts.values())


class ForwardPass(NamedTuple):
    """The outputs of a network for the fixed picture, and its multiply-accumulates."""

    output: RawOutput
    macs: int


@functools.lru_cache(maxsize=KEPT)
def _forward_pass(config: DetectorConfig) -> ForwardPass:
    model, macs = build_network(config).model, [0]

    def count(module: nn.Module, _inputs: object, output: Tensor) -> None:
        macs[0] += counting.layer_macs(module, output)

    counted = [module for module in model.modules() if isinstance(module, counting.COUNTED)]
    hooks = [module.register_forward_hook(count) for module in counted]
    try:
        with torch.no_grad():
            return ForwardPass(model(noise_pictures()), macs[0])
    finally:
        for hook in hooks:
            hook.remove()


def outputs(settings: ProbeSettings) -> Values:
    """Return the raw outputs for a picture: boxes, logits and landmarks."""
    return summaries(_forward_pass(settings.model).output)


def teacher_outputs(settings: ProbeSettings) -> Values:
    """Return the raw outputs of a teacher that no run of ours trained."""
    return [] if settings.teacher is None else summaries(_forward_pass(settings.teacher).output)


def counts(settings: ProbeSettings) -> Values:
    """Return parameters, those that the paper counts, megabytes and multiply-accumulates.

    How these grow with the picture is seen on one convolution: all layers grow alike.
    """
    layer = nn.Conv2d(3, 2, 3, padding=1, stride=16)
    grown = [counting.macs(layer, size) for size in (640, (320, 352))]
    return [
        *build_network(settings.model).sizes,
        float(_forward_pass(settings.model).macs),
        *map(float, grown),
    ]


def initial_weights(settings: ProbeSettings) -> Values:
    """Return sums over the weights that a seed draws."""
    return build_network(settings.model).initial_weights


def anchors(settings: ProbeSettings) -> Values:
    """Return the priors of a picture, and boxes and landmarks decoded from fixed deltas."""
    boxes = priors(settings.model, HEIGHT, WIDTH).double()  # (P, 4)
    deltas = noise_tensor("boxes", len(boxes), 4), noise_tensor("landmarks", len(boxes), 10)
    return [*summary(boxes), *summaries(decode_all(settings.model, *deltas, boxes))]


def gradients(settings: ProbeSettings) -> Values:
    """Return outputs in training mode, each part's gradient, and the running statistics after."""
    model = build_network(settings.model).model
    with _training_mode(model):
        raw = model(noise_pictures(2, HEIGHT, HEIGHT))
        loss = sum((noise_tensor("gradient", *output.shape) * output).mean() for output in raw)
        loss.backward()
        sums: dict[str, float] = {}
        for name, value in sorted(model.named_parameters()):
            if value.grad is not None:
                weights = 1.0 + 0.5 * noise(name, value.numel())
                part = name.partition(".")[0]
                sums[part] = sums.get(part, 0.0) + float(weights @ value.grad.flatten().numpy())
        buffers = sorted(model.named_buffers())
        statistics = [float(value.mean()) for name, value in buffers if "running" in name]
    return [*summaries(raw), *sums.values(), *summary(statistics)]


@contextlib.contextmanager
def _training_mode(model: nn.Module) -> Iterator[None]:
    """Put MODEL into training mode inside the block; restore it and its statistics afterwards."""
    saved = [buffer.clone() for buffer in model.buffers()]
    model.train()
    try:
        yield
    finally:
        for buffer, before in zip(model.buffers(), saved, strict=True):
            buffer.copy_(before)
        model.zero_grad()
        model.eval()


def clear_cache() -> None:
    """Free the networks and outputs that are kept in memory."""
    build_network.cache_clear()
    _forward_pass.cache_clear()
