"""Matrix products whose result is read once and freed."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

LARGEST = 32 << 20
"""Bytes of a product that are kept for the next one; a larger product gets memory of its own."""


class _Kept(threading.local):
    """Each thread's memory for products; grows to the largest one it held."""

    memory = torch.empty(0)


_kept = _Kept()


def multiply(first: Tensor, second: Tensor) -> Tensor:
    """Return FIRST (N,C) @ SECOND (C,O), valid until this thread's next call without gradients.

    Fresh memory for megabytes costs the CPU more than the product: the system clears each page
    and hands it over anew. Where no gradient will want the result, one place holds them all.
    """
    size = len(first) * second.shape[1]
    if not _reusable(first, second, size):
        return first @ second
    if len(_kept.memory) < size:
        with torch.inference_mode(mode=False):
            _kept.memory = torch.empty(size)
    return torch.mm(first, second, out=_kept.memory[:size].view(len(first), -1))


def _reusable(first: Tensor, second: Tensor, size: int) -> bool:
    return (
        not torch.is_grad_enabled()
        and type(first) is Tensor  # a tracer's tensors keep no memory
        and first.device.type == second.device.type == "cpu"
        and first.dtype == second.dtype == torch.float32
        and size * first.element_size() <= LARGEST
    )
