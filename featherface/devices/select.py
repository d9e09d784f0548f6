"""Choosing a device, and deterministic computation on it."""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import TYPE_CHECKING

import torch

from featherface.devices.accelerators import cards, lacks, remedy, unused
from featherface.devices.names import check_device, number
from featherface.errors import UnavailableError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[str], None]

TRAINER = "ACCELERATE_TORCH_DEVICE"
"""The variable in which `accelerate` looks for the device, before it takes the first."""
_TOLD: set[str] = set()
"""Remarks of this process so far: stages that follow each other needn't repeat them."""


def choose(name: str = "auto", tell: Tell | None = None) -> torch.device:
    """Return the device called NAME, one of DEVICES.

    `auto` takes the current CUDA device if this build of PyTorch holds code for it, else another
    such one, else a Mac's GPU, else the CPU. TELL hears once in a process why a card that is there
    isn't used; where TELL isn't given, that is a Python warning. A numbered card becomes the
    current one: what of PyTorch takes no device (events, peaks of memory, pinned pages, random
    numbers) means it then.

    Raises:
        UsageError: no such kind of device.
        UnavailableError: this machine has none, or this build of PyTorch no code for it.
    """
    check_device(name)
    if name == "auto":
        device, remark = _automatic()
        if remark and remark not in _TOLD:
            _TOLD.add(remark)
            (tell or _warn)(remark)
        return _current(device)
    if name.startswith("cuda"):
        return _current(_cuda(name))
    if name == "mps" and not torch.backends.mps.is_available():
        raise UnavailableError("this machine has no mps device", "use auto or cpu")
    return torch.device(name)


def _current(device: torch.device) -> torch.device:
    """Make DEVICE the current one, where it is a numbered card; return it."""
    if number(str(device)) is not None:
        torch.cuda.set_device(device)
    return device


def _automatic() -> tuple[torch.device, str]:
    """Return the best device, and what is to be said of one that isn't used."""
    usable = cards()
    if not usable:
        reason = unused()
        kind = "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device(kind), f"computing on the CPU: {reason}" if reason else ""
    current = torch.cuda.current_device()
    reason = lacks(current)
    if reason is None:
        return torch.device("cuda"), ""
    other = next((device for device in usable if lacks(device) is None), None)
    if other is not None:
        return torch.device("cuda", other), f"computing on {usable[other]}: {reason}"
    return torch.device("cpu"), f"computing on the CPU: {reason}; {remedy(usable[current])}"


def _cuda(name: str) -> torch.device:
    """Return the CUDA device called NAME."""
    usable = cards()
    if not usable:
        why = unused() or "NVIDIA's driver finds no card"
        raise UnavailableError(f"this machine has no cuda device: {why}", "use auto or cpu")
    wanted = number(name)
    if wanted is not None and wanted >= len(usable):
        here = ", ".join(f"cuda:{place} ({card.name})" for place, card in usable.items())
        raise UnavailableError(f"there is no {name}: this machine has {here}", "use one of them")
    place = torch.cuda.current_device() if wanted is None else wanted
    reason = lacks(place)
    if reason is not None:
        raise UnavailableError(reason, f"{remedy(usable[place])}, or use auto or cpu")
    return torch.device(name)


@contextlib.contextmanager
def reserved(device: torch.device, processes: int = 1) -> Iterator[None]:
    """Let `accelerate`, asked within the block, take DEVICE and no other.

    Each of several PROCESSES has its own already: there `accelerate` goes by their ranks.

    Raises:
        UsageError: DEVICE is one that several processes can't share.
    """
    if processes > 1:
        if str(device) not in {"cpu", "cuda"}:
            raise UsageError(
                f"train.device = '{device}': {processes} processes can't train on one device",
                "use --set train.device=cuda, which gives each its own card",
            )
        yield
        return
    before = os.environ.get(TRAINER)
    os.environ[TRAINER] = str(device)
    try:
        yield
    finally:
        os.environ.pop(TRAINER)
        if before is not None:
            os.environ[TRAINER] = before


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=4)
