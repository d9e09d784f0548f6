"""Storage of a network's weights in float32, float16 and int8, in bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from featherface.model_summary.summary_types import Storage
from featherface.networks.layers.deformable import DeformableConv

if TYPE_CHECKING:
    from collections.abc import Iterator

SINGLE, HALF, BYTE = 4, 2, 1
"""Bytes of a number."""


def storage(model: nn.Module) -> Storage:
    """Return what the weights of MODEL take."""
    state = model.state_dict().values()
    numbers: int = sum(tensor.numel() for tensor in state if tensor.is_floating_point())
    kernels = [layer.weight for layer in _quantisable(model)]
    quantised = sum(kernel.numel() for kernel in kernels)
    scales = sum(len(kernel) for kernel in kernels)
    return Storage(
        fp32=numbers * SINGLE,
        fp16=numbers * HALF,
        int8=quantised * BYTE + (numbers - quantised + scales) * SINGLE,
        quantised=quantised,
        single=numbers - quantised,
    )


def _quantisable(model: nn.Module) -> Iterator[nn.Conv2d | nn.Linear]:
    inside = {
        part
        for module in model.modules()
        if isinstance(module, DeformableConv)
        for part in module.modules()
    }
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and module not in inside:
            yield module
