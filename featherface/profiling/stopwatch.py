"""How long a piece of work takes: CUDA's events where a card computes, else the host's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featherface.profiling import machine as this_machine

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS, CLOCK = "cuda-events", "clock"
"""What took the time: the card itself, or the host's clock around work and waiting."""


def source(device: torch.device, *, host_works: bool = False) -> str:
    """Return what times work on DEVICE; HOST_WORKS: a part of it is done by the host itself."""
    return EVENTS if device.type == "cuda" and not host_works else CLOCK


def milliseconds(
    work: Callable[[], object], device: torch.device, *, host_works: bool = False
) -> float:
    """Return how long WORK takes on DEVICE, until all that it asked for is done.

    Events are stamped by the card, so that the host's own waiting is left out. Where the host
    does a part of the work between, only the clock sees all of it.
    """
    if source(device, host_works=host_works) == EVENTS:
        return _by_events(work, device)
    clock = this_machine.THIS.clock
    wait(device)
    start = clock()
    work()
    wait(device)
    return 1000 * (clock() - start)


def wait(device: torch.device) -> None:
    """Let queued work finish, where the device queues."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _by_events(work: Callable[[], object], device: torch.device) -> float:
    start, end = (
        torch.cuda.Event(enable_timing=True),  # type: ignore[no-untyped-call]
        torch.cuda.Event(enable_timing=True),  # type: ignore[no-untyped-call]
    )
    stream = torch.cuda.current_stream(device)
    wait(device)
    start.record(stream)
    work()
    end.record(stream)
    wait(device)
    return float(start.elapsed_time(end))
