"""Which errors say that memory ran out, in the words of those who say it."""

import pytest
import torch

from featherface.profiling.capacity import is_exhaustion, largest, may_be_exhaustion, survives


def windows(code, words):
    """Return an error of Windows, which has a code and words in the user's language."""
    error = OSError(22, words)
    error.winerror = code
    return error


def caused(error):
    """Return an error that was raised from ERROR."""
    outer = RuntimeError("the step failed")
    outer.__cause__ = error
    return outer


FULL = [
    torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 5.93 GiB of"
        " which 1.12 GiB is free."
    ),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("CUDA driver error: out of memory"),
    RuntimeError("HIP out of memory. Tried to allocate 1.50 GiB."),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    RuntimeError("cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate`"),
    RuntimeError(
        "MPS backend out of memory (MPS allocated: 17.96 GB, other allocations: 2.11 MB, max"
        " allowed: 18.13 GB). Tried to allocate 400.00 MB on private pool."
    ),
    RuntimeError("Invalid buffer size: 24.00 GB"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory:"
        " you tried to allocate 4000000000000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: not enough memory: you"
        " tried to allocate 4000000000000 bytes."
    ),
    RuntimeError("unable to mmap 1024 bytes from file <f>: Cannot allocate memory (12)"),
    RuntimeError("Couldn't open shared file mapping: <torch_5156_1>, error code: <1455>"),
    RuntimeError("std::bad_alloc"),
    MemoryError(),
    OSError(12, "Cannot allocate memory"),
    windows(1455, "Le fichier de pagination est insuffisant pour terminer cette opération"),
    windows(1450, "Ressources système insuffisantes pour terminer le service demandé"),
    caused(torch.OutOfMemoryError("CUDA out of memory.")),
]
PERHAPS = [
    RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED. This error may appear if you passed in"),
    RuntimeError("FIND was unable to find an engine to execute this computation"),
    RuntimeError("GET was unable to find an engine to execute this computation"),
    RuntimeError("Unable to find a valid cuDNN algorithm to run convolution"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"),
]
OTHER = [
    RuntimeError("CUDA error: no kernel image is available for execution on the device"),
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    RuntimeError("CUDA error: too many resources requested for launch"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"),
    OSError(28, "No space left on device"),
    windows(32, "Le processus ne peut pas accéder au fichier"),
]


def words(error):
    return f"{type(error).__name__}: {str(error)[:50]}"


@pytest.mark.parametrize("error", FULL, ids=words)
def test_full_memory_is_known(error):
    assert is_exhaustion(error)

    def fits(_):
        raise error

    assert survives(fits, 1) is False


@pytest.mark.parametrize("error", PERHAPS, ids=words)
def test_what_may_be_full_memory_is_a_no_where_smaller_batches_fit(error):
    assert not is_exhaustion(error)
    assert may_be_exhaustion(error)

    def fits(size):
        if size > 3:
            raise error
        return True

    assert largest((1, 2, 3, 4, 6, 8), fits) == 3

    def never(_):
        raise error

    with pytest.raises(RuntimeError) as caught:
        largest((1, 2, 3), never)
    assert caught.value is error


@pytest.mark.parametrize("error", OTHER, ids=words)
def test_anything_else_is_raised(error):
    assert not may_be_exhaustion(error)

    def fits(_):
        raise error

    with pytest.raises(type(error)):
        largest((1, 2, 3), fits)


def test_what_a_step_held_is_let_go():
    """An error that is kept must not keep the step's tensors through its traceback."""
    doubts = []

    def fits(_):
        raise RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED")

    assert survives(fits, 1, doubts) is False
    assert doubts[0].__traceback__ is None
