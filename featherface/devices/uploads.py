"""Copies from the host to a device, through pinned memory where that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WAITED = frozenset({"mps"})
"""Devices that read the host's memory later without holding on to it: by then it may be freed and
hold other numbers (https://github.com/pytorch/pytorch/issues/189690, PyTorch 2.13)."""


def uploaded(values: Tensor, device: torch.device) -> Tensor:
    """Return VALUES on DEVICE; nobody waits for the copy where none has to.

    CUDA keeps pinned memory until it has been read, and reads other memory at once.
    """
    return values.to(device, non_blocking=device.type not in WAITED)
