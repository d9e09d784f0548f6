"""The table of engines. Lean: the command line reads its choices here."""

from __future__ import annotations

from dataclasses import dataclass

TORCH = "torch"
"""What computes where nothing else is named."""
AUTO = "auto"
"""Choice that means: the fastest engine here whose answers pass the parity check."""


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


ENGINES: dict[str, EngineKind] = {
    TORCH: EngineKind(title="PyTorch", suffixes=(), module="pytorch"),
    "onnxruntime": EngineKind(title="ONNX Runtime", suffixes=(".onnx",), module="onnx_runtime"),
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
