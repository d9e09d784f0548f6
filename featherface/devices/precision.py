"""Inference precision: fp32, tf32, fp16, bf16. Lean: PyTorch is loaded when a network is there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from featherface.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import nn

FULL = "fp32"
PRECISIONS = {
    FULL: "single precision in every operation",
    "tf32": "inputs of convolutions and matrix products rounded to 10 bits of mantissa, as "
    "NVIDIA's tensor cores take them",
    "bf16": "autocast to bfloat16",
    "fp16": "autocast to half precision",
}
"""Every precision that a number can be measured in."""
FIRST_WITH_TF32 = 8
"""Major number of the compute capability (Ampere) from which NVIDIA cards round so."""


def check_precision(key: str, name: str) -> None:
    """Refuse a NAME that is none of `PRECISIONS`; KEY is the recipe's.

    Raises:
        UsageError: no such precision.
    """
    if name not in PRECISIONS:
        raise UsageError(f"{key}: {unknown('precision', name, PRECISIONS)}")


def require(precision: str, device: torch.device) -> None:
    """Refuse a PRECISION in which DEVICE would not compute: its numbers would lie.

    Raises:
        UsageError: the device computes in another.
    """
    if precision == "tf32" and not _can_round(device):
        raise UsageError(
            f"precision tf32: {device} computes in fp32",
            "it needs an NVIDIA card of the generation Ampere or later; leave precision at fp32",
        )
    if precision == "fp16" and device.type == "cpu":
        raise UsageError("precision fp16 needs a GPU", "use fp32, or bf16 on recent CPUs")


@contextlib.contextmanager
def computing(model: nn.Module, precision: str = FULL) -> Iterator[None]:
    """Let MODEL compute in PRECISION inside the block, whatever is switched on around it.

    Autocast, TF32 and what a mixed-precision training wrapped around the forward pass are put
    aside; everything is as before afterwards. By default cuDNN rounds convolutions to TF32 on
    Ampere and later: only in here is single precision what it says.

    Raises:
        UsageError: MODEL's device can't compute in PRECISION.
    """
    import torch  # noqa: PLC0415 - the names above must load nothing

    device = next(model.parameters()).device
    require(precision, device)
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    with contextlib.ExitStack() as stack:
        for kind in ("cpu", "cuda", "mps"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(rounding("tf32" if precision == "tf32" else "ieee"))
        stack.enter_context(undressed(model))
        if precision in kinds:
            stack.enter_context(torch.autocast(device.type, kinds[precision]))
        yield


@contextlib.contextmanager
def undressed(model: nn.Module) -> Iterator[None]:
    """Take off the forward pass that accelerate laid over MODEL's own, which switches autocast on.

    In the block MODEL computes as its class says; no outer switch can reach what was laid over it.
    """
    held = vars(model)
    dressed = held.pop("forward", None) if "_original_forward" in held else None
    try:
        yield
    finally:
        if dressed is not None:
            held["forward"] = dressed


def rounds(device: torch.device) -> bool:
    """Whether convolutions in single precision on DEVICE round what they are given to TF32, now."""
    if not _can_round(device):
        return False
    from torch import backends  # noqa: PLC0415 - as above

    convolutions: Any = backends.cudnn
    # Not `allow_tf32`: it raises once one of the newer switches was set.
    return bool(convolutions.conv.fp32_precision == "tf32")


def _can_round(device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    import torch  # noqa: PLC0415 - as above

    return torch.cuda.get_device_capability(device)[0] >= FIRST_WITH_TF32


def _operations() -> tuple[Any, ...]:
    """Return every switch of how operations on single precision may round what they are given."""
    from torch import backends  # noqa: PLC0415 - as above

    cudnn: Any = backends.cudnn
    cpu: Any = backends.mkldnn
    return (
        *(backends.cuda.matmul, cudnn.conv, cudnn.rnn),
        *(cpu.matmul, cpu.conv, cpu.rnn),
    )


@contextlib.contextmanager
def rounding(how: str) -> Iterator[None]:
    """Set every switch to HOW: `ieee` rounds nothing, `tf32` on NVIDIA cards as they can."""
    switches = _operations()
    before = [switch.fp32_precision for switch in switches]
    try:
        for switch in switches[:3]:
            switch.fp32_precision = how
        for switch in switches[3:]:
            switch.fp32_precision = "ieee"  # the CPU of a machine with a card rounds nothing
        yield
    finally:
        for switch, value in zip(switches, before, strict=True):
            switch.fp32_precision = value
