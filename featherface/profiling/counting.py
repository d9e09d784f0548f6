"""Parameters, multiply-accumulates and size on disk: what follows from the design alone."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from featherface.networks.attention.linear_attention import LinearAttentionRead
from featherface.networks.layers.deformable import DeformableConv
from featherface.networks.layers.sampling import TAPS
from featherface.networks.necks.bifpn import Fusion

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTED = (nn.Conv2d, nn.Linear, DeformableConv, LinearAttentionRead)
"""Layers whose multiply-accumulates are counted."""


def parameters(model: nn.Module) -> int:
    """Return the number of trainable numbers."""
    return sum(parameter.numel() for parameter in model.parameters())


def paper_counted(model: nn.Module) -> int:
    """Return what a counter reports that knows standard layers only.

    FeatherFace's paper counts so: the kernels of deformable convolutions and BiFPN's fusion
    weights are left out.
    """
    kernels = sum(
        parameters(module.kernel)
        for module in model.modules()
        if isinstance(module, DeformableConv)
    )
    fusions = sum(parameters(module) for module in model.modules() if isinstance(module, Fusion))
    return parameters(model) - kernels - fusions


def macs(model: nn.Module, size: int | tuple[int, int] = 640) -> int:
    """Return the multiply-accumulates of one picture: convolutions and linear layers.

    A deformable convolution counts its offsets, its masks and its kernel, not the blending of
    neighbours; linear attention counts its products. SIZE is the side, or height and width, in
    pixels.

    Every layer works on a map whose sides are fixed or proportional to the picture's, so the
    count is bilinear in height and width: four tiny pictures tell it exactly for multiples of 32.
    """
    height, width = (size, size) if isinstance(size, int) else size
    count = _counter(model)
    if height % 32 or width % 32:
        return count(height, width)
    down, across = height // 32 - 1, width // 32 - 1
    corner, right, low, far = count(32, 32), count(32, 64), count(64, 32), count(64, 64)
    twist = far - right - low + corner
    return corner + across * (right - corner) + down * (low - corner) + down * across * twist


def layer_macs(module: nn.Module, output: Tensor) -> int:
    """Return the multiply-accumulates of one picture in MODULE, one of `COUNTED`.

    OUTPUT is what it gave, (B,C,H,W) or (B,C).
    """
    return _macs_per_position(module) * _positions(module, output)


def weights_megabytes(model: nn.Module, bytes_per_number: int = 4) -> float:
    """Return the size in 10^6 bytes of the parameters and running statistics."""
    numbers: int = sum(
        tensor.numel() for tensor in model.state_dict().values() if tensor.is_floating_point()
    )
    return numbers * bytes_per_number / 1e6


def _counter(model: nn.Module) -> Callable[[int, int], int]:
    """Return a function that counts while a copy of MODEL looks at a picture of height, width."""
    copied = copy.deepcopy(model).to("cpu").eval()
    counts: list[int] = []

    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        counts.append(layer_macs(module, output))

    for module in copied.modules():
        if isinstance(module, COUNTED):
            module.register_forward_hook(note)

    def count(height: int, width: int) -> int:
        counts.clear()
        with torch.inference_mode():
            copied(torch.zeros(1, 3, height, width))
        return sum(counts)

    return count


def _macs_per_position(module: nn.Module) -> int:
    if isinstance(module, DeformableConv):
        moves = 3 * TAPS
        return TAPS * module.kernel.in_channels * (moves + module.kernel.out_channels)
    if isinstance(module, LinearAttentionRead):
        return module.products
    if isinstance(module, nn.Conv2d | nn.Linear):
        return module.weight.numel()
    return 0


def _positions(module: nn.Module, output: Tensor) -> int:
    """Return how often the weights of MODULE are applied to one picture."""
    return 1 if isinstance(module, nn.Linear) else output.shape[-2] * output.shape[-1]
