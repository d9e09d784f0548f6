"""The precisions that a GPU offers, as contexts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from featherface.devices.precision import PRECISIONS, require, rounding
from featherface.errors import UsageError
from featherface.training.optimization.precision import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def computing(precision: str, device: torch.device) -> Iterator[None]:
    """Compute in PRECISION inside the block; TF32 only where it is asked for."""
    half = TYPES.get(precision)
    with (
        rounding("tf32" if precision == "tf32" else "ieee"),
        torch.autocast(device.type, half, enabled=half is not None),
    ):
        yield


def here(device: torch.device) -> list[str]:
    """The precisions that DEVICE computes in; bfloat16 only where the card has it."""
    found = []
    for precision in PRECISIONS:
        with contextlib.suppress(UsageError):
            require(precision, device)
            if precision != "bf16" or device.type != "cuda" or torch.cuda.is_bf16_supported():
                found.append(precision)
    return found
