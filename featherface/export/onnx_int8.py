"""ONNX with convolutions in 8 bits: ranges as they come (dynamic), or measured (static)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featherface.export.calibration import calibration_pictures, network_inputs
from featherface.export.eight_bits.quantisation import QUANTISED, Calibrated
from featherface.export.eight_bits.sensitive_blocks import choose
from featherface.export.onnx_file import network_graph, save
from featherface.export.onnx_metadata import metadata

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector


def write_dynamic(
    model: Detector, path: Path, settings: WriterSettings, variant_name: str
) -> dict[str, Any]:
    """Write MODEL to PATH, its convolutions' weights in 8 bits and their inputs as they come."""
    graph = quantised_dynamically(network_graph(model, settings))
    save(graph, path, metadata(model, settings, variant_name, "onnx-int8-dynamic"))
    kinds = [node.op_type for node in graph.graph.node]
    return {"quantised_layers": kinds.count("ConvInteger")}


def quantised_dynamically(model: ModelProto) -> ModelProto:
    """Return the ONNX MODEL with the weights of its convolutions in 8 bits.

    A convolution whose weights are computed in the graph is left alone.
    """
    import onnx  # noqa: PLC0415 - only an export needs it
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - as above

    stored = {value.name for value in model.graph.initializer}
    computed = [
        node.name
        for node in model.graph.node
        if node.op_type == QUANTISED and node.input[1] not in stored
    ]
    _own_weights(model.graph)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "quantised.onnx"
        quantize_dynamic(
            model,
            written,
            op_types_to_quantize=[QUANTISED],
            nodes_to_exclude=computed,
            weight_type=QuantType.QUInt8,  # ONNX Runtime has no integer convolution of signed ones
        )
        return onnx.load(written)


def _own_weights(graph: GraphProto) -> None:
    """Give each Gemm of GRAPH weights of its own, in place.

    The library makes products of matrices of them, and transposes the weights once for each Gemm
    that has them: shared ones would be turned to and fro.
    """
    stored = {value.name: value for value in graph.initializer}
    for number, node in enumerate(graph.node):
        if node.op_type == "Gemm" and node.input[1] in stored:
            own = graph.initializer.add()
            own.CopyFrom(stored[node.input[1]])
            own.name = node.input[1] = f"{own.name}_{number}"


def write_static(
    model: Detector, path: Path, settings: WriterSettings, variant_name: str
) -> dict[str, Any]:
    """Write MODEL to PATH in 8 bits, but for the blocks that these spoil.

    The ranges are measured on the pictures of SETTINGS, and so is which blocks are sensitive.
    """
    origin, pictures = calibration_pictures(settings)
    inputs = network_inputs(pictures, model.config)
    calibrated = Calibrated(network_graph(model, settings), model.config, inputs)
    choice = choose(calibrated)
    save(
        calibrated.quantised(choice.layers),
        path,
        metadata(model, settings, variant_name, "onnx-int8"),
    )
    return {
        "calibration": {"pictures": len(inputs), "from": origin},
        **choice.to_json(),
    }
