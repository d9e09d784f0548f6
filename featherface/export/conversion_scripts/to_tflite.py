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
    from featherface.export.conversion_scripts.jobs import Job

ENTRY = "featherface"
"""Name of the entry among a file's metadata that holds ours, as JSON."""
WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""Operators whose weights are halved."""


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
    if job["precision"] == "fp16":
        _half(written)
    elif job["precision"] == "int8":
        _eight_bits(written, job, program)
    _tell(written, job["metadata"])


def _half(written: Path) -> None:
    """Give the file WRITTEN half weights, in place."""
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer.qtyping import TFLOperationName

    work = quantizer.Quantizer(bytearray(written.read_bytes()))
    for name in WITH_WEIGHTS:
        work.add_weight_only_config(
            ".*", TFLOperationName[name], 16, algorithm_key=quantizer.AlgorithmName.FLOAT_CASTING
        )
    written.write_bytes(work.quantize(None, enable_progress_report=False).quantized_model)


def _eight_bits(written: Path, job: Job, program: Any) -> None:
    """Give the file WRITTEN convolutions of 8 bits but for those that these spoil, in place.

    This alone needs more of the program than this room: an environment made for TFLite borrows the
    packages of the Python that made it.
    """
    from featherface.export.conversion_scripts.tflite_int8 import QuantisableFile
    from featherface.export.eight_bits.sensitive_blocks import choose
    from featherface.export.onnx_names import OUTERMOST
    from featherface.weights.network_settings import settings_of

    known = settings_of(job["metadata"], written)
    if known is None:
        raise ValueError("the metadata don't say which network it is")
    weights = {
        name.removeprefix(OUTERMOST): value.numpy() for name, value in program.state_dict().items()
    }
    pictures = np.load(job["calibration"])["images"]
    file = QuantisableFile(written.read_bytes(), known.config, pictures, weights, job["threads"])
    choice = choose(file)
    written.write_bytes(file.quantised(choice.layers))
    Path(job["told"]).write_text(json.dumps(choice.to_json()), encoding="utf-8")


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
