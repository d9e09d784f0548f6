"""The tools that write formats of other runtimes. Lean: `formats` asks what is installed."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

MADE = "environment.json"
"""File in an environment's folder that is written last: without it the making was cut off."""


@dataclass(frozen=True, kw_only=True)
class ConversionTool:
    """A converter, and where it can live."""

    title: str
    script: str
    """Module of `featherface.export.conversion_scripts` that uses it."""
    modules: tuple[str, ...]
    """What that script imports."""
    environment: tuple[str, ...] = ()
    """Requirements, pinned, of an environment of its own; for one that holds back what this
    program needs in newer versions. Empty for a tool that an extra installs."""
    gigabytes: float = 0.0
    """About what such an environment takes on the disk."""
    runs_on: tuple[str, ...] = ()
    """Systems on which it runs what it wrote, as `sys.platform` names them; empty for all."""

    @property
    def here(self) -> bool:
        """Whether this Python has it."""
        return all(importlib.util.find_spec(name) is not None for name in self.modules)

    @property
    def runs_here(self) -> bool:
        """Whether this system runs what it writes."""
        return not self.runs_on or sys.platform in self.runs_on

    def python(self) -> Path | None:
        """Return the Python that has it: this one, or its environment's; None for neither."""
        if self.here:
            return Path(sys.executable)
        if self.environment and (environment_folder(self) / MADE).is_file():
            return environment_python(self)
        return None


TOOLS: dict[str, ConversionTool] = {
    "litert": ConversionTool(
        title="litert-torch",
        script="to_tflite",
        modules=("litert_torch", "ai_edge_quantizer", "ai_edge_litert"),
        # Its xdsl holds back typing-extensions, and with it pydantic.
        environment=("litert-torch==0.10.0", "ai-edge-litert==2.3.0", "ai-edge-quantizer==0.10.0"),
        gigabytes=1.0,
    ),
    "openvino": ConversionTool(title="OpenVINO", script="to_openvino", modules=("openvino",)),
    "executorch": ConversionTool(
        title="ExecuTorch", script="to_executorch", modules=("executorch",)
    ),
    "coreml": ConversionTool(
        title="coremltools", script="to_coreml", modules=("coremltools",), runs_on=("darwin",)
    ),
    "ncnn": ConversionTool(title="pnnx and ncnn", script="to_ncnn", modules=("pnnx", "ncnn")),
    "tensorrt": ConversionTool(title="TensorRT", script="to_tensorrt", modules=("tensorrt",)),
}
"""Every tool by name."""


def environment_folder(tool: ConversionTool) -> Path:
    """Return where the environment of TOOL lies: another one for other versions or another Python.

    It borrows this Python's packages, PyTorch first of all, so each Python has its own.
    """
    import platformdirs  # noqa: PLC0415 - only who converts needs it

    told = (*tool.environment, sys.version, sys.prefix)
    digest = hashlib.sha256("\n".join(told).encode("utf-8")).hexdigest()[:12]
    cache = platformdirs.user_cache_path("thesis", appauthor=False)
    return cache / "environments" / f"{tool.script.removeprefix('to_')}-{digest}"


def environment_python(tool: ConversionTool) -> Path:
    """Return the Python in the environment of TOOL, whether or not it is made."""
    folder = environment_folder(tool)
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
