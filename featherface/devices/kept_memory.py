"""Memory that a training keeps between its steps instead of giving it back to the system.

The C library of Linux (glibc) gives blocks of more than 32 MiB back as soon as they are freed, and
the system clears each page of the next one before it may be used. A training step makes and frees
the same hundreds of such blocks again and again: every map of a batch of 32 pictures is one.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch

BatchT = TypeVar("BatchT")
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
"""Parameters of `mallopt`, as glibc's malloc.h numbers them."""
LARGEST_THRESHOLD = 32 * 2**20
"""Size in bytes up to which glibc itself keeps a block, once a program has freed such a one."""


@contextlib.contextmanager
def kept_memory(device: torch.device, *, wanted: bool) -> Iterator[bool]:
    """Keep what is freed within the block for what is made next, if WANTED; tell whether it is so.

    Only where DEVICE is the CPU and the C library is glibc; elsewhere nothing changes. Afterwards
    all that is free goes back to the system. No number changes.
    """
    library = _glibc() if wanted and device.type == "cpu" else None
    if library is None:
        yield False
        return
    library.mallopt(MMAP_MAX, 0)
    library.mallopt(TRIM_THRESHOLD, -1)
    try:
        yield True
    finally:
        # What glibc comes to by itself in a program with large blocks.
        library.mallopt(MMAP_THRESHOLD, LARGEST_THRESHOLD)
        library.mallopt(TRIM_THRESHOLD, 2 * LARGEST_THRESHOLD)
        library.mallopt(MMAP_MAX, 65536)
        library.malloc_trim(0)


def keeping_memory(
    batches: Iterable[BatchT], device: torch.device, *, wanted: bool
) -> Iterator[BatchT]:
    """Yield BATCHES; what steps with them free is kept until the last is done."""
    with kept_memory(device, wanted=wanted):
        yield from batches


def keeps_memory(device: torch.device) -> bool:
    """Whether `kept_memory` changes anything on DEVICE."""
    return device.type == "cpu" and _glibc() is not None


@functools.cache
def _glibc() -> ctypes.CDLL | None:
    """Return the C library of this program, where it is glibc."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
