"""TFLite through litert-torch: in single precision, with half weights, or 8-bit convolutions.

Sources: https://github.com/google-ai-edge/litert-torch,
https://github.com/google-ai-edge/ai-edge-quantizer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.export.conversion_scripts.jobs import NAMES, answer, obey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from featherface.export.conversion_scripts.jobs import Job

ENTRY = "featherface"
"""Name of the entry among a file's metadata that holds ours, as JSON."""
KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D")
OFFSETS = 27
"""Channels of a convolution that moves and weighs the taps of a deformable one."""


def convert(job: Job) -> None:
    """Write the network in `program` (a saved torch.export) to `output`."""
    import litert_torch
    import torch

    class Named(torch.nn.Module):
        def __init__(self, program: torch.nn.Module) -> None:
            super().__init__()
            self.program = program

        def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
            return dict(zip(NAMES, self.program(images), strict=True))

    program = torch.export.load(job["program"]).module()
    pictures = torch.zeros(1, 3, *job["size"])
    written = Path(job["output"])
    litert_torch.convert(Named(program), sample_kwargs={"images": pictures}).export(str(written))
    if job["precision"] != "fp32":
        _reduce(written, job)
    _tell(written, job["metadata"])


def _reduce(written: Path, job: Job) -> None:
    """Give the file WRITTEN half weights, or convolutions of 8 bits, in place."""
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer.qtyping import TFLOperationName

    work = quantizer.Quantizer(bytearray(written.read_bytes()))
    kinds = [TFLOperationName[name] for name in KINDS]
    ranges = None
    if job["precision"] == "fp16":
        for kind in (*kinds, TFLOperationName.FULLY_CONNECTED):
            work.add_weight_only_config(
                ".*", kind, 16, algorithm_key=quantizer.AlgorithmName.FLOAT_CASTING
            )
    else:
        for kind in kinds:
            work.add_static_config(".*", kind, 8, 8)
            for name in _sensitive(written):
                work.update_quantization_recipe(
                    f"^{name}$", kind, algorithm_key=quantizer.AlgorithmName.NO_QUANTIZE
                )
        pictures = np.load(job["calibration"])["images"]
        asked = [{"images": picture[None]} for picture in pictures]
        ranges = work.calibrate({"serving_default": asked}, num_threads=job["threads"] or 1)
    result = work.quantize(ranges, enable_progress_report=False)
    written.write_bytes(result.quantized_model)


def _sensitive(written: Path) -> list[str]:
    """Return what the outputs of those convolutions are called that keep single precision.

    Those that give the answers, and those that place the taps of a deformable convolution.
    """
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(written.read_bytes()))
    graph = model.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    wanted = {getattr(schema.BuiltinOperator, name) for name in KINDS}
    maker = {output: operator for operator in graph.operators for output in operator.outputs}

    def last(tensors: Any) -> Iterator[Any]:
        """Yield the convolutions that no other stands behind, on the way to TENSORS."""
        for tensor in tensors:
            operator = maker.get(tensor)
            if operator is None:
                continue
            if codes[operator.opcodeIndex] in wanted:
                yield operator.outputs[0]
            else:
                yield from last(operator.inputs)

    kept = set(last(graph.outputs))
    for operator in graph.operators:
        output = operator.outputs[0]
        if codes[operator.opcodeIndex] in wanted and graph.tensors[output].shape[-1] == OFFSETS:
            kept.add(output)
    return sorted(_escaped(graph.tensors[tensor].name.decode()) for tensor in kept)


def _escaped(name: str) -> str:
    import re

    return re.escape(name)


def _tell(written: Path, metadata: dict[str, str]) -> None:
    """Put METADATA into the file WRITTEN, in place."""
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(written.read_bytes()))
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(json.dumps(metadata).encode("utf-8"), np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = ENTRY, len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    written.write_bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def run(job: Job) -> None:
    """Answer `pictures` with the file at `model`."""
    from ai_edge_litert.interpreter import Interpreter

    session = Interpreter(model_path=job["model"], num_threads=job["threads"] or None)
    signature = session.get_signature_runner()

    def look(picture: Any) -> list[Any]:
        outputs = signature(images=picture)
        return [outputs[name] for name in NAMES]

    answer(job, look)


if __name__ == "__main__":
    obey(convert, run)
