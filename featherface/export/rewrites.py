"""A network of one size, rewritten for exporters that know plain operations alone.

The same weights and the same answers, to the rounding of single precision: fusion weights are
folded into constants, and deformable convolution is written with operations that every runtime
has, by table look-ups or by `grid_sample`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from featherface.errors import UsageError
from featherface.export.onnx_file import traced
from featherface.networks.layers.deformable import TAPS, DeformableConv
from featherface.networks.layers.sampling import FRAME
from featherface.networks.necks.bifpn import EPSILON, Fusion

if TYPE_CHECKING:
    from featherface.networks.detector import Detector

LOOKUPS, GRID = "lookups", "grid"
"""Ways to write deformable convolution: two look-ups in a table of pixels, or `grid_sample`."""
MULTIPLE = 32
"""What height and width are a multiple of: so no map is cropped, and padding is a constant."""


def plain(model: Detector, size: tuple[int, int], sampling: str = LOOKUPS) -> nn.Module:
    """Return a copy of MODEL for one picture (1,3,H,W) of SIZE (H,W), in plain operations.

    It answers with boxes (1,N,4), probabilities (1,N,2) and landmarks (1,N,10).

    Args:
        model: the network, in any state.
        size: height and width in pixels, multiples of 32.
        sampling: LOOKUPS or GRID.

    Raises:
        UsageError: SIZE is no multiple of 32.
    """
    if any(side <= 0 or side % MULTIPLE for side in size):
        raise UsageError(
            f"image_size {size[0]}x{size[1]}: a file of one size takes multiples of {MULTIPLE}",
            f"round it up: {-(-max(size) // MULTIPLE) * MULTIPLE}",
        )
    network = traced(model)
    for name, extent in _deformable_extents(network, size).items():
        kind = {LOOKUPS: LookupDeformableConv, GRID: GridDeformableConv}[sampling]
        layer: Any = network.get_submodule(name)
        network.set_submodule(name, kind(layer, extent))
    for name, module in list(network.named_modules()):
        if isinstance(module, Fusion):
            network.set_submodule(name, FoldedFusion(module))
    for value in (*network.parameters(), *network.buffers()):
        # Channels-last weights, which a network has, come out of litert-torch as other numbers.
        value.data = value.detach().clone(memory_format=torch.contiguous_format)
    return network.eval().requires_grad_(requires_grad=False)


class FoldedFusion(nn.Module):
    """`Fusion` whose shares are numbers."""

    def __init__(self, fusion: Fusion) -> None:
        super().__init__()
        positive = torch.relu(fusion.weight.detach())
        self.shares: list[float] = (positive / (positive.sum() + EPSILON)).tolist()

    def forward(self, *maps: Tensor) -> Tensor:
        """Mix MAPS, all (B,C,H,W)."""
        mixed = self.shares[0] * maps[0]
        for share, feature_map in zip(self.shares[1:], maps[1:], strict=False):
            mixed = mixed + share * feature_map  # an idle share, of no map, is left
        return functional.silu(mixed)


class _OneSize(nn.Module):
    """Deformable convolution of maps of one size; offsets and masks come from one convolution."""

    at_rest_y: Tensor
    at_rest_x: Tensor
    weight: Tensor

    def __init__(self, layer: DeformableConv, extent: tuple[int, int]) -> None:
        super().__init__()
        self.extent = extent
        order = [layer.offset.weight[0::2], layer.offset.weight[1::2], layer.modulator.weight]
        biases = [layer.offset.bias, layer.modulator.bias]
        if biases[0] is None or biases[1] is None:
            raise AssertionError  # both layers are made with one
        self.moves = nn.Conv2d(layer.kernel.in_channels, 3 * TAPS, 3, padding=1)
        with torch.no_grad():
            self.moves.weight.copy_(torch.cat(order))
            self.moves.bias.copy_(torch.cat((biases[0][0::2], biases[0][1::2], biases[1])))  # type: ignore[union-attr]  # made with one, just above


class LookupDeformableConv(_OneSize):
    """By look-ups in a table whose rows hold a pixel and its right neighbour."""

    def __init__(self, layer: DeformableConv, extent: tuple[int, int]) -> None:
        super().__init__(layer, extent)
        height, width = extent
        taps = torch.arange(TAPS)
        y, x = torch.arange(height)[:, None, None], torch.arange(width)[:, None]
        at_rest = torch.zeros(height, width, TAPS)
        self.register_buffer("at_rest_y", (at_rest + y + taps // 3).reshape(-1, TAPS))
        self.register_buffer("at_rest_x", (at_rest + x + taps % 3).reshape(-1, TAPS))
        kernel = layer.kernel.weight.detach()  # (O,C,3,3)
        self.register_buffer("weight", kernel.permute(2, 3, 1, 0).reshape(-1, len(kernel)).clone())

    def forward(self, features: Tensor) -> Tensor:
        """Map FEATURES (1,C,H,W) to (1,O,H,W)."""
        (height, width), channels = self.extent, features.shape[1]
        moves = self.moves(features).permute(0, 2, 3, 1).reshape(-1, 3 * TAPS)  # (HW,27)
        y = (moves[:, :TAPS] + self.at_rest_y).clamp(0.0, height + 1.0)
        x = (moves[:, TAPS : 2 * TAPS] + self.at_rest_x).clamp(0.0, width + 1.0)
        mask = 2.0 * torch.sigmoid(moves[:, 2 * TAPS :])
        top, left = torch.floor(y), torch.floor(x)
        frame = (0, 0, 1, FRAME - 1, 1, FRAME - 1)
        padded = functional.pad(features.permute(0, 2, 3, 1), frame)  # (1,H+3,W+3,C)
        pairs = torch.cat((padded[:, :, :-1], padded[:, :, 1:]), 3).reshape(-1, 2 * channels)
        across = width + FRAME - 1
        rows = (top * across + left).reshape(-1).int()  # (9HW,), exact: far below 2^24
        above, below = functional.embedding(rows, pairs), functional.embedding(rows + across, pairs)
        right, down = (x - left).reshape(-1, 1), (y - top).reshape(-1, 1)
        both = above + down * (below - above)  # (9HW,2C)
        sampled = both[:, :channels] + right * (both[:, channels:] - both[:, :channels])
        weighted = (sampled * mask.reshape(-1, 1)).reshape(-1, TAPS * channels)
        summed: Tensor = weighted @ self.weight  # (HW,O)
        return summed.reshape(1, height, width, -1).permute(0, 3, 1, 2)


class GridDeformableConv(_OneSize):
    """By `grid_sample`, all taps in one call; for runtimes whose tables must be constants."""

    def __init__(self, layer: DeformableConv, extent: tuple[int, int]) -> None:
        super().__init__(layer, extent)
        height, width = extent
        taps = torch.arange(TAPS).reshape(-1, 1, 1)
        at_rest = torch.zeros(1, TAPS, height, width)
        # In the middle of a pixel, and the tap in the middle of the kernel moves by nothing.
        y, x = torch.arange(height)[:, None] + 0.5, torch.arange(width) + 0.5
        self.register_buffer("at_rest_y", at_rest + y + taps // 3 - 1)
        self.register_buffer("at_rest_x", at_rest + x + taps % 3 - 1)
        kernel = layer.kernel.weight.detach()  # (O,C,3,3)
        self.register_buffer("weight", kernel.reshape(len(kernel), -1, 1, 1).clone())

    def forward(self, features: Tensor) -> Tensor:
        """Map FEATURES (1,C,H,W) to (1,O,H,W)."""
        (height, width), channels = self.extent, features.shape[1]
        moves = self.moves(features)  # (1,27,H,W)
        y = (moves[:, :TAPS] + self.at_rest_y) * (2 / height) - 1
        x = (moves[:, TAPS : 2 * TAPS] + self.at_rest_x) * (2 / width) - 1
        mask = 2.0 * torch.sigmoid(moves[:, 2 * TAPS :]).reshape(1, 1, TAPS * height, width)
        grid = torch.stack((x, y), 4).reshape(1, TAPS * height, width, 2)
        sampled = functional.grid_sample(
            features, grid, mode="bilinear", padding_mode="zeros", align_corners=False
        )  # (1,C,9H,W)
        taps = (sampled * mask).reshape(1, channels * TAPS, height, width)
        summed: Tensor = functional.conv2d(taps, self.weight)
        return summed


def _deformable_extents(network: nn.Module, size: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """Return height and width of what enters each deformable convolution of NETWORK at SIZE."""
    extents: dict[str, tuple[int, int]] = {}

    def remember(name: str) -> Any:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            height, width = inputs[0].shape[-2:]
            extents[name] = (height, width)

        return hook

    handles = [
        module.register_forward_pre_hook(remember(name))
        for name, module in network.named_modules()
        if isinstance(module, DeformableConv)
    ]
    with torch.no_grad():
        if handles:
            network(torch.zeros(1, 3, *size))
    for handle in handles:
        handle.remove()
    return extents
