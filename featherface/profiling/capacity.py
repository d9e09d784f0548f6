"""The largest of several sizes that fits in memory, found without dying of one that does not."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COMPLAINTS = ("out of memory", "can't allocate memory", "not enough memory")
"""What PyTorch says on CUDA, on the CPU of Linux and macOS, and on that of Windows."""


def largest(sizes: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    """Return the last of SIZES (which grow) that FITS, asking few of them; None where none does.

    FITS may run out of memory: that is a no.
    """
    low, high = 0, len(sizes)  # all before low fit, none from high on does
    while low < high:
        middle = (low + high) // 2
        if survives(fits, sizes[middle]):
            low = middle + 1
        else:
            high = middle
    return sizes[low - 1] if low else None


def survives(fits: Callable[[int], bool], size: int) -> bool:
    """Whether FITS says so of SIZE without running out of memory; what it held is given back."""
    try:
        return fits(size)
    except (MemoryError, RuntimeError) as error:  # CUDA's OutOfMemoryError is a RuntimeError
        if not is_exhaustion(error):
            raise
        return False
    finally:
        release()


def is_exhaustion(error: BaseException) -> bool:
    """Whether ERROR says that memory ran out."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(one in text for one in COMPLAINTS)


def release() -> None:
    """Give back the memory that nothing refers to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
