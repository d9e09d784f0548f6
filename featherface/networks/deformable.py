"""Modulated deformable convolution (Zhu et al., 2019), https://arxiv.org/abs/1811.11168.

In plain PyTorch. A convolution is linear, so each of the K kernel taps is applied to every
pixel first (one matrix product), and only then is sampled: each output is a weighted sum of
4K rows of that table, four neighbours for each tap. That gathers C_out numbers per neighbour
where sampling first would gather C_in, and one fused kernel (embedding_bag) does it without
writing the samples down.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from featherface.networks.sampling import sum_rows

TAPS = 9
"""Positions of the 3x3 kernel."""


class DeformableConv(nn.Module):
    """3x3 kernel without bias whose taps move and fade with the input.

    Offsets and masks start at zero shift and weight one, so an untrained layer is an ordinary
    convolution.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.offset = nn.Conv2d(inputs, 2 * TAPS, 3, padding=1)
        self.modulator = nn.Conv2d(inputs, TAPS, 3, padding=1)
        self.kernel = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        for layer in (self.offset, self.modulator):
            nn.init.zeros_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Map FEATURES (B,C,H,W) to (B,O,H,W)."""
        # One convolution for both costs a third less than one for each.
        weight = torch.cat((self.offset.weight, self.modulator.weight))
        bias = torch.cat((_bias(self.offset), _bias(self.modulator)))
        moves = functional.conv2d(features, weight, bias, padding=1)
        # Half precision would round positions to half a pixel: stay in single from here on.
        moves = moves.to(torch.promote_types(moves.dtype, torch.float32))
        offset = moves[:, : 2 * TAPS]  # (B,18,H,W): y before x, tap by tap
        # Copied first: a sigmoid of numbers with gaps between them takes six times as long.
        raw = moves[:, 2 * TAPS :].contiguous(memory_format=torch.channels_last)
        mask = 2.0 * torch.sigmoid(raw)  # (B,9,H,W)
        moved = deform_conv(features, offset, mask, self.kernel.weight)
        return moved.to(features.dtype)  # a network in half precision goes on in it


def _bias(layer: nn.Conv2d) -> Tensor:
    if layer.bias is None:
        raise AssertionError  # both layers are made with one
    return layer.bias


def deform_conv(features: Tensor, offset: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Convolve with moved taps; what falls outside the picture counts as zero.

    Args:
        features: (B,C,H,W).
        offset: (B,18,H,W) pixels, for each tap the shift in y, then in x.
        mask: (B,9,H,W) factor of each tap.
        weight: (O,C,3,3).

    Returns:
        (B,O,H,W), as torchvision's deform_conv2d with padding 1.
    """
    if torch.compiler.is_exporting():
        whole: Tensor = opaque_deform_conv(features, offset, mask, weight)
        return whole
    return _deform_conv(features, offset, mask, weight)


@torch.library.custom_op("featherface::deform_conv", mutates_args=())
def opaque_deform_conv(features: Tensor, offset: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Do as `deform_conv`, in one piece that an exporter puts its own operator for."""
    return _deform_conv(features, offset, mask, weight).contiguous()


def operator() -> Any:
    """Return the operator that an exporter meets."""
    return torch.ops.featherface.deform_conv.default


@opaque_deform_conv.register_fake
def _shape(features: Tensor, _offset: Tensor, _mask: Tensor, weight: Tensor) -> Tensor:
    batch, _, height, width = features.shape
    return features.new_empty(batch, weight.shape[0], height, width)


def _deform_conv(features: Tensor, offset: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    batch, channels, height, width = features.shape
    outputs = weight.shape[0]
    rows, shares = corners(offset, mask)  # (BHW,36) each
    # A frame of zeros, one pixel before and two after, takes every neighbour outside.
    padded = functional.pad(features.permute(0, 2, 3, 1), (0, 0, 1, 2, 1, 2))
    taps = weight.permute(1, 2, 3, 0).reshape(channels, TAPS * outputs)
    table = (padded.reshape(-1, channels) @ taps).reshape(-1, outputs)  # (B(H+3)(W+3)9,O)
    summed = sum_rows(table.to(shares.dtype), rows, shares)  # (BHW,O)
    return summed.reshape(batch, height, width, outputs).permute(0, 3, 1, 2)


def corners(offset: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of the framed table that each output adds up, and their shares.

    Returns:
        rows (BHW,36) whole numbers, shares (BHW,36) of MASK's type.
    """
    batch, _, height, width = mask.shape
    shift = offset.permute(0, 2, 3, 1).reshape(-1, TAPS, 2)
    factor = mask.permute(0, 2, 3, 1).reshape(-1, TAPS)  # (BHW,9) from here on
    grid_y, grid_x = _standing(batch, height, width, shift)
    y, y_share = _split(shift[..., 0] + grid_y, height)
    x, x_share = _split(shift[..., 1] + grid_x, width)
    first = (torch.add(x, y, alpha=width + 3) * TAPS).int()
    first = (first.view(batch, -1, TAPS) + _starts(batch, height, width, first)).view(-1, TAPS)
    below = (width + 3) * TAPS
    lower = factor * y_share
    upper = factor - lower
    right, lower_right = upper * x_share, lower * x_share
    rows = (first, first + TAPS, first + below, first + (below + TAPS))
    shares = (upper - right, right, lower - lower_right, lower_right)
    return torch.cat(rows, 1), torch.cat(shares, 1)


def _standing(batch: int, height: int, width: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return y and x (BHW,9), in the frame's coordinates, of taps that don't move."""

    def count(length: int) -> Tensor:
        return torch.arange(length, dtype=like.dtype, device=like.device)

    y = count(height)[:, None] + count(3).repeat_interleave(3)  # (H,9)
    x = count(width)[:, None] + count(3).repeat(3)  # (W,9)
    shape = (batch, height, width, TAPS)
    return (
        y[:, None].expand(shape).reshape(-1, TAPS),
        x.expand(shape).reshape(-1, TAPS),
    )


def _starts(batch: int, height: int, width: int, like: Tensor) -> Tensor:
    """Return (B,1,9): the table's first row of each picture, plus the tap's place in a cell."""
    cells = (height + 3) * (width + 3)
    picture = torch.arange(batch, dtype=like.dtype, device=like.device) * (cells * TAPS)
    return picture[:, None, None] + torch.arange(TAPS, dtype=like.dtype, device=like.device)


def _split(position: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return the whole part of POSITION, kept inside the frame, and the fraction."""
    inside = position.clamp(0.0, size + 1.0)
    whole = inside.detach().floor()
    return whole, inside - whole
