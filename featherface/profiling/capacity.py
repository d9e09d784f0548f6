"""The largest batch or size that fits in memory, searched without dying of one that does not."""

from __future__ import annotations

import errno
import gc
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

COMPLAINTS = (
    "out of memory",  # CUDA, ROCm, MPS, and the drivers below them
    "can't allocate memory",  # the CPU's allocator on Linux and macOS
    "cannot allocate memory",  # the system, for maps and shared memory
    "not enough memory",  # the CPU's allocator on Windows
    "alloc_failed",  # cuBLAS, cuDNN to 8, cuFFT, cuSOLVER, cuSPARSE
    "allocation_failed",  # cuDNN from 9
    "invalid buffer size",  # MPS: more than one of its buffers may hold
    "bad_alloc",  # C++
    "bad allocation",  # C++ on Windows
    "winerror 1455",  # Windows, whose paging file is too small
    "error code: <1455>",  # the same, of shared memory
)
"""What full memory says, in small letters."""
SUSPICIONS = (
    "unable to find an engine",
    "unable to find a valid cudnn algorithm",
    "cudnn_status_not_supported",
    "cudnn_status_internal_error",
    "cudnn_status_execution_failed",
    "cublas_status_not_initialized",
    "cublas_status_internal_error",
    "cublas_status_execution_failed",
)
"""What NVIDIA's libraries say where their work space finds no room, and for other reasons too."""
WINDOWS_CODES = frozenset({8, 14, 1450, 1455})
"""Too little memory, system resources, or paging file: its words are in the user's language."""


def largest(sizes: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    """Return the last of SIZES (which grow) that FITS, asking few of them; None where none does.

    FITS may run out of memory: that is a no. So is what only may be full memory, unless nothing
    fits at all: then that is raised.
    """
    doubts: list[Exception] = []
    low, high = 0, len(sizes)  # all before low fit, none from high on does
    while low < high:
        middle = (low + high) // 2
        if survives(fits, sizes[middle], doubts):
            low = middle + 1
        else:
            high = middle
    if not low and doubts:
        raise doubts[-1]
    return sizes[low - 1] if low else None


def survives(fits: Callable[[int], bool], size: int, doubts: list[Exception] | None = None) -> bool:
    """Whether FITS says so of SIZE without running out of memory; what it held is given back.

    An error that only may mean that joins DOUBTS; without such a list it is raised.
    """
    try:
        return fits(size)
    except (MemoryError, RuntimeError, OSError) as error:  # CUDA's OutOfMemoryError is a Runtime~
        if is_exhaustion(error):
            return False
        if doubts is None or not may_be_exhaustion(error):
            raise
        doubts.append(error.with_traceback(None))  # which would hold what the step held
        return False
    finally:
        release()


def is_exhaustion(error: BaseException) -> bool:
    """Whether ERROR, or what it came from, says that memory ran out."""
    return any(_is_full(link) for link in _chain(error))


def may_be_exhaustion(error: BaseException) -> bool:
    """Whether ERROR, or what it came from, is one that full memory causes among other things."""
    messages = [str(link).lower() for link in _chain(error)]
    return is_exhaustion(error) or any(
        suspicion in text for suspicion in SUSPICIONS for text in messages
    )


def _is_full(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):
        code = getattr(error, "winerror", None)
        return error.errno == errno.ENOMEM or code in WINDOWS_CODES
    text = str(error).lower()
    return any(complaint in text for complaint in COMPLAINTS)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield ERROR and those that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__


def release() -> None:
    """Give back the memory that nothing refers to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
