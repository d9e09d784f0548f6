"""TensorRT engines, from ONNX, for the card that is here.

Source of the calls: NVIDIA's documentation of TensorRT 10,
https://docs.nvidia.com/deeplearning/tensorrt.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from featherface.export.conversion_scripts.jobs import NAMES, answer, obey

if TYPE_CHECKING:
    from featherface.export.conversion_scripts.jobs import Job


def convert(job: Job) -> None:
    """Build the engine of the network in `onnx`, in single precision, into `output`."""
    import tensorrt

    logger = tensorrt.Logger(tensorrt.Logger.WARNING)
    builder = tensorrt.Builder(logger)
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, logger)
    if not parser.parse_from_file(job["onnx"]):
        errors = [str(parser.get_error(index)) for index in range(parser.num_errors)]
        raise SystemExit("; ".join(errors) or "TensorRT can't read the ONNX file")
    config = builder.create_builder_config()
    config.clear_flag(tensorrt.BuilderFlag.TF32)  # which rounds what single precision keeps
    built = builder.build_serialized_network(network, config)
    if built is None:
        raise SystemExit("TensorRT built no engine")
    Path(job["output"]).write_bytes(bytes(built))


def run(job: Job) -> None:
    """Answer `pictures` with the engine at `model`, on the first card."""
    import tensorrt
    import torch

    runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.WARNING))
    engine = runtime.deserialize_cuda_engine(Path(job["model"]).read_bytes())
    context = engine.create_execution_context()
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call] # torch tells it no types
    shapes = {name: tuple(engine.get_tensor_shape(name)) for name in NAMES}
    outputs = {name: torch.empty(shape, device="cuda") for name, shape in shapes.items()}

    def look(picture: Any) -> list[Any]:
        images = torch.from_numpy(picture).cuda()
        torch.cuda.synchronize()
        context.set_tensor_address("images", images.data_ptr())
        for name, tensor in outputs.items():
            context.set_tensor_address(name, tensor.data_ptr())
        context.execute_async_v3(stream.cuda_stream)
        stream.synchronize()
        return [outputs[name].cpu().numpy() for name in NAMES]

    answer(job, look)


if __name__ == "__main__":
    obey(convert, run)
