"""The table of engines. Lean: the command line reads its choices here."""

from __future__ import annotations

from dataclasses import dataclass

from featherface.devices.precision import FULL
from featherface.errors import UsageError, unknown

TORCH = "torch"
"""What computes where nothing else is named."""
AUTO = "auto"
"""Choice that means: the fastest engine here whose answers pass the parity check."""
OPSETS = (19, 20, 21)
"""ONNX operator sets that are written and run: those with DeformConv that ONNX Runtime knows."""


@dataclass(frozen=True, kw_only=True)
class EngineKind:
    """One program that runs networks."""

    title: str
    """What tables call it."""
    suffixes: tuple[str, ...]
    """Endings of the files that it opens; empty for one that takes tensors of weights."""
    module: str
    """Module of `featherface.engines` whose `open_file(path)` opens one of them."""
    needs: str = ""
    """Distribution that it needs beyond the core's; empty for none."""
    extra: str = ""
    """Extra of this project that installs it."""
    devices: tuple[str, ...] = ("cpu",)
    """Types of devices that it may compute on; for others than the processor `open_file` takes
    the device too."""


ENGINES: dict[str, EngineKind] = {
    TORCH: EngineKind(
        title="PyTorch", suffixes=(), module="pytorch", devices=("cpu", "cuda", "mps")
    ),
    "onnxruntime": EngineKind(
        title="ONNX Runtime",
        suffixes=(".onnx",),
        module="onnx_runtime",
        devices=("cpu", "cuda"),
    ),
    "litert": EngineKind(
        title="LiteRT",
        suffixes=(".tflite",),
        module="litert",
        needs="ai-edge-litert",
        extra="litert",
    ),
}
"""Every engine by name, as a metric's conditions name it."""

CHOICES = (AUTO, *ENGINES)


def check_engine(name: str, precision: str, key: str = "evaluate.engine") -> None:
    """Refuse NAME where it is no engine, or one that can't compute in PRECISION.

    Raises:
        UsageError: KEY is named as what to correct.
    """
    if name not in CHOICES:
        raise UsageError(f"{key}: {unknown('engine', name, CHOICES)}")
    if name not in (TORCH, AUTO) and precision != FULL:
        raise UsageError(
            f"{key} is {name}, which computes a file as it was written, not in {precision}",
            f"leave the precision at {FULL}, or take the engine {TORCH}",
        )
