"""Which floating-point numbers to compute with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def widened(values: Tensor) -> Tensor:
    """Return VALUES in single precision, or in the wider one that they are in.

    For what half precision would spoil, such as losses and statistics; a training in double
    precision, which shows what is rounding and what is a fault, stays one.
    """
    return values.to(torch.promote_types(values.dtype, torch.float32))
