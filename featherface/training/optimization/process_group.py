"""The group of processes that one training is made in."""

from __future__ import annotations

import contextlib
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import torch
from accelerate.state import AcceleratorState
from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore

from featherface.devices.select import choose
from featherface.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.distributed.distributed_c10d import Store

PATIENCE = timedelta(days=2)
"""How long a process waits for the others in a group. The first one evaluates while they wait, for
hours where there are many pictures; a process that died is noticed by other means."""


@contextlib.contextmanager
def joined(store: Store, number: int, rank: int, processes: int, device: str) -> Iterator[None]:
    """Make a group of PROCESSES for the block, whose number NUMBER no other group had.

    Args:
        store: which all of them reach.
        number: of the group, so that addresses of an earlier one are not taken for its.
        rank: of this process.
        processes: how many there are.
        device: `train.device` of the recipe.

    Raises:
        UnavailableError: there are fewer GPUs here than processes.
    """
    cuda = choose(device).type == "cuda"
    if cuda:
        _take_gpu()
    distributed.init_process_group(
        backend="cuda:nccl,cpu:gloo" if cuda else "gloo",
        store=PrefixStore(f"group/{number}", store),
        rank=rank,
        world_size=processes,
        timeout=PATIENCE,
    )
    AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001 - it knew of one process
    try:
        yield
    except Exception:
        if cuda:
            _break_off()  # to take a group down in order waits for those that are stuck in it
        raise
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _take_gpu() -> None:
    """Let this process compute on the GPU of its number on this machine."""
    own, here = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if own >= here:
        raise UnavailableError(
            f"process {own + 1} on this machine has no GPU of its own: there are {here}",
            f"torchrun --nproc-per-node {here} ..., or --set train.device=cpu",
        )
    torch.cuda.set_device(own)


def _break_off() -> None:
    """End what the GPUs still exchange, without waiting for it."""
    backend = distributed.group.WORLD._get_backend(torch.device("cuda"))  # type: ignore[union-attr] # noqa: SLF001
    backend.abort()
