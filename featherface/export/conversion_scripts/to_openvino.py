"""OpenVINO's intermediate representation, from ONNX (https://docs.openvino.ai)."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featherface.export.conversion_scripts.jobs import NAMES, answer, obey, pack

if TYPE_CHECKING:
    from featherface.export.conversion_scripts.jobs import Job

MODEL = "network.xml"


def convert(job: Job) -> None:
    """Write the network in `onnx` to the archive `output`."""
    import openvino

    model = openvino.convert_model(job["onnx"])
    for key, value in job["metadata"].items():
        model.set_rt_info(value, ["featherface", key])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        openvino.save_model(model, Path(folder) / MODEL, compress_to_fp16=False)
        del model  # it holds its files open
        pack(Path(folder), Path(job["output"]), job["metadata"])


def run(job: Job) -> None:
    """Answer `pictures` with the archive at `model`, on the processor in single precision."""
    import openvino

    core = openvino.Core()
    options: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32"}
    if job["threads"]:
        options["INFERENCE_NUM_THREADS"] = job["threads"]
    # The compiled network holds the files open, which Windows does not remove then.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        with zipfile.ZipFile(job["model"]) as packed:
            packed.extractall(folder)
        network = core.compile_model(core.read_model(Path(folder) / MODEL), "CPU", options)

        def look(picture: Any) -> list[Any]:
            outputs = network(picture)
            return [outputs[name] for name in NAMES]

        answer(job, look)


if __name__ == "__main__":
    obey(convert, run)
