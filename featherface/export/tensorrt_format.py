"""TensorRT engines where TensorRT and a card are; elsewhere the file and command that make one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from featherface.errors import UnavailableError
from featherface.export.conversion_tools import TOOLS
from featherface.export.rewrites import plain
from featherface.export.runtime_formats import save_onnx, write_runtime_format
from featherface.filesystem.atomic import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector

LACKING = {"DeformConv": "10.1", "NonMaxSuppression": "8.5", "Swish": "11.0"}
"""Operator of ONNX -> first version of TensorRT whose parser has it without a plug-in; source:
the release notes of https://github.com/onnx/onnx-tensorrt."""


def write_tensorrt(
    model: Detector, path: Path, settings: WriterSettings, variant_name: str
) -> dict[str, Any]:
    """Build MODEL's engine into PATH, for pictures of `settings.image_size` and the card here.

    Raises:
        UnavailableError: TensorRT or a card is missing; the network lies beside PATH as ONNX,
            checked for operators that TensorRT lacks, and the hint is the command that builds it.
    """
    if TOOLS["tensorrt"].here and torch.cuda.is_available():
        return write_runtime_format("tensorrt", model, path, settings, variant_name)
    prepared = path.with_name(f"{path.stem}.tensorrt.onnx")
    size = (settings.image_size, settings.image_size)
    with replacing(prepared) as temporary:
        save_onnx(plain(model, size), size, settings.opset, temporary)
    lacking = lacking_operators(prepared)
    if lacking:
        raise UnavailableError(
            f"{prepared.name} holds operators that TensorRT may lack: {', '.join(lacking)}",
            f"the versions that have them: {LACKING}",
        )
    missing = "TensorRT" if not TOOLS["tensorrt"].here else "a CUDA card"
    raise UnavailableError(
        f"{missing} is not here: {prepared.name} is made for it and holds operators that it has;"
        " the engine is neither built nor run",
        f'where both are: trtexec --onnx="{prepared}" --saveEngine="{path}" --noTF32',
    )


def lacking_operators(path: Path) -> list[str]:
    """Return the operators of the ONNX file at PATH that TensorRT may lack, in order."""
    import onnx  # noqa: PLC0415 - only an export needs it

    graph = onnx.load(path).graph
    foreign = {node.op_type for node in graph.node if node.domain not in ("", "ai.onnx")}
    return sorted(foreign | {node.op_type for node in graph.node if node.op_type in LACKING})
