"""Where to compute, and how to make it repeatable."""

from __future__ import annotations

import random

import numpy as np
import torch

from featherface.errors import UnavailableError, UsageError, unknown
from featherface.profiling_config import DEVICES


def choose(name: str = "auto") -> torch.device:
    """Return the device called NAME.

    Raises:
        UsageError: no such kind of device.
        UnavailableError: this machine has none.
    """
    if name not in DEVICES:
        raise UsageError(unknown("device", name, DEVICES), f"choose from {', '.join(DEVICES)}")
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((kind for kind, here in present.items() if here), "cpu")
    if not present.get(name, True):
        raise UnavailableError(f"this machine has no {name} device", "use auto or cpu")
    return torch.device(name)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch, and prefer repeatable kernels."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - other libraries draw from the global state
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
