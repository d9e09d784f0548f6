"""Computing without a trace: what a probe gives depends on nothing around it, and leaves nothing.

Neither the number of threads, the random numbers drawn before, a default type or device, gradients
being off, autocast nor a seed may show in a probe's values; and a program that has computed probes
goes on as if it had not.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from featherface.devices.precision import rounding

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def isolated() -> Iterator[None]:
    """Compute on the CPU in one thread, seeded, with gradients on; all is as before afterwards."""
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=_cards()))
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        if torch.empty(0).device.type != "cpu":  # as a mode it would slow down every operation
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(rounding("ieee"))
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        stack.callback(torch.set_default_dtype, dtype)
        stack.callback(torch.set_num_threads, threads)
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(1)
        torch.manual_seed(0)
        yield


@contextlib.contextmanager
def wide() -> Iterator[None]:
    """Let what asks for the default type compute in float64 inside the block."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _cards() -> list[int]:
    """Return the cards whose random numbers a seed would set, where CUDA is in use."""
    used = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return list(range(torch.cuda.device_count())) if used else []
