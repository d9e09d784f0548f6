"""Maps of a coarse level, brought to the size of the finer one beside it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from featherface.networks.layers.exporting import keeps_own_operators

__all__ = ["enlarge", "opaque_enlarge", "operator"]


def enlarge(small: Tensor, like: Tensor) -> Tensor:
    """Repeat each cell of SMALL (B,C,h,w) 2x2 and crop to the size of LIKE (B,C,H,W).

    Equal to nearest interpolation to that size where h = ceil(H / 2), and every exporter
    knows it.
    """
    if keeps_own_operators():
        whole: Tensor = opaque_enlarge(small, like)
        return whole
    height, width = like.shape[-2:]
    doubled = nn.functional.interpolate(small, scale_factor=2.0, mode="nearest")
    # No crop where none is needed: an exporter would write the size down.
    return doubled if doubled.shape == like.shape else doubled[..., :height, :width]


@torch.library.custom_op("featherface::enlarge", mutates_args=())
def opaque_enlarge(small: Tensor, like: Tensor) -> Tensor:
    """Do as `enlarge`, in one piece that an exporter puts operators of any size for."""
    height, width = like.shape[-2:]
    doubled = nn.functional.interpolate(small, scale_factor=2.0, mode="nearest")
    return doubled[..., :height, :width].contiguous()


def operator() -> Any:
    """Return the operator that an exporter meets."""
    return torch.ops.featherface.enlarge.default


@opaque_enlarge.register_fake
def _shape(small: Tensor, like: Tensor) -> Tensor:
    batch, channels = small.shape[:2]
    return small.new_empty(batch, channels, *like.shape[-2:])
