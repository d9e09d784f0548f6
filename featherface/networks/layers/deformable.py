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

from featherface.networks.layers.exporting import keeps_own_operators
from featherface.networks.layers.products import multiply
from featherface.networks.layers.sampling import FRAME, TAPS, Extent, sample_taps

__all__ = ["TAPS", "DeformableConv", "deform_conv", "opaque_deform_conv", "operator"]


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
        if keeps_own_operators():
            moves = self._moves(features, slice(None))  # (B,27,H,W): y before x, tap by tap
            offset, raw = moves[:, : 2 * TAPS], moves[:, 2 * TAPS :]
            whole: Tensor = opaque_deform_conv(
                features, offset, 2.0 * torch.sigmoid(raw), self.kernel.weight
            )
            return whole.to(features.dtype)
        moves = self._moves(features, slice(0, None, 2), slice(1, None, 2))
        # Copied first: steps over numbers with gaps between them take up to six times as long.
        parts = moves.permute(0, 2, 3, 1).reshape(-1, 3, TAPS).transpose(0, 1).contiguous()
        mask = 2.0 * torch.sigmoid(parts[2])  # (BHW,9)
        moved = _deform_conv(features, parts[:2], mask, self.kernel.weight)
        return moved.to(features.dtype)  # a network in half precision goes on in it

    def _moves(self, features: Tensor, *order: slice) -> Tensor:
        """Return offsets in ORDER, then raw masks (B,27,H,W), in single precision at least."""
        # One convolution for both costs a third less than one for each.
        weights = [self.offset.weight[index] for index in order] + [self.modulator.weight]
        biases = [_bias(self.offset)[index] for index in order] + [_bias(self.modulator)]
        moves = functional.conv2d(features, torch.cat(weights), torch.cat(biases), padding=1)
        # Half precision would round positions to half a pixel: stay in single from here on.
        return moves.to(torch.promote_types(moves.dtype, torch.float32))


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
    shift = offset.permute(0, 2, 3, 1).reshape(-1, TAPS, 2).permute(2, 0, 1).contiguous()
    factor = mask.permute(0, 2, 3, 1).reshape(-1, TAPS)
    return _deform_conv(features, shift, factor, weight)


@torch.library.custom_op("featherface::deform_conv", mutates_args=())
def opaque_deform_conv(features: Tensor, offset: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Do as `deform_conv`, in one piece that an exporter puts its own operator for."""
    return deform_conv(features, offset, mask, weight).contiguous()


def operator() -> Any:
    """Return the operator that an exporter meets."""
    return torch.ops.featherface.deform_conv.default


@opaque_deform_conv.register_fake
def _shape(features: Tensor, _offset: Tensor, _mask: Tensor, weight: Tensor) -> Tensor:
    batch, _, height, width = features.shape
    return features.new_empty(batch, weight.shape[0], height, width)


def _deform_conv(features: Tensor, shift: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """As `deform_conv`, with SHIFT (2,BHW,9) in y and x and MASK (BHW,9)."""
    batch, channels, height, width = features.shape
    outputs = weight.shape[0]
    before, after = 1, FRAME - 1
    frame = (0, 0, before, after, before, after)
    padded = functional.pad(features.permute(0, 2, 3, 1), frame)  # (B,H+3,W+3,C)
    taps = weight.permute(1, 2, 3, 0).reshape(channels, TAPS * outputs)
    table = multiply(padded.reshape(-1, channels), taps).reshape(-1, outputs)
    # (B(H+3)(W+3)9,O)
    summed = sample_taps(table.to(mask.dtype), shift, mask, Extent(batch, height, width))
    return summed.reshape(batch, height, width, outputs).permute(0, 3, 1, 2)
