"""Choice of floating-point types: widened for sums, never narrowed from float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def wide(dtype: torch.dtype) -> torch.dtype:
    """Return single precision, or DTYPE where that is wider."""
    return torch.promote_types(dtype, torch.float32)


def widened(values: Tensor) -> Tensor:
    """Return VALUES in single precision, or in the wider one that they are in.

    For what half precision would spoil, such as losses and statistics; a training in double
    precision, which shows what is rounding and what is a fault, stays one.
    """
    return values.to(wide(values.dtype))
