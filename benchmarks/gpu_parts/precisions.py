"""The precisions that a GPU offers, as contexts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
PRECISIONS = ("fp32", "tf32", *HALVES)


@contextlib.contextmanager
def computing(precision: str, device: torch.device) -> Iterator[None]:
    """Compute in PRECISION inside the block; TF32 only where it is asked for."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
    half = HALVES.get(precision)
    try:
        with torch.autocast(device.type, half, enabled=half is not None):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def here(device: torch.device) -> list[str]:
    """The precisions that mean something on DEVICE."""
    if device.type != "cuda":
        return ["fp32", "bf16"]
    major = torch.cuda.get_device_capability(device)[0]
    return [one for one in PRECISIONS if major >= 8 or one not in {"tf32", "bf16"}]
