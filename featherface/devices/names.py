"""Device names in recipes, settings and options: `auto`, `cpu`, `cuda:0`, `mps`. Lean."""

from __future__ import annotations

import re

from featherface.errors import UsageError, unknown

DEVICES = {
    "auto": "an accelerator that can be computed on, else the processor",
    "cpu": "the processor",
    "cuda": "the current NVIDIA card (or AMD's, with PyTorch's build for ROCm)",
    "cuda:1": "the second of several cards; they are counted from 0",
    "mps": "the GPU of a Mac",
}
"""Name -> what is meant; `cuda:1` stands for any number."""
CHOICES = f"{', '.join(list(DEVICES)[:-1])} or {list(DEVICES)[-1]}"
NUMBERED = re.compile(r"cuda:(0|[1-9][0-9]?)")


def check_device(name: object, key: str = "") -> str:
    """Return NAME if devices are called so; whether this machine has one is asked later.

    Raises:
        UsageError: they aren't; KEY (`train.device`) is named where there is one.
    """
    if isinstance(name, str) and (name in DEVICES or NUMBERED.fullmatch(name)):
        return name
    where = f"{key}: " if key else ""
    raise UsageError(f"{where}{unknown('device', str(name), DEVICES)}", f"choose from {CHOICES}")


def number(name: str) -> int | None:
    """Return which card NAME asks for, counted from 0; None where it leaves that open."""
    match = NUMBERED.fullmatch(name)
    return int(match[1]) if match else None
