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
    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector


def write_dynamic(
    model: Detector, path: Path, settings: WriterSettings, variant_name: str
) -> dict[str, Any]:
    """Write MODEL to PATH, its convolutions' weights in 8 bits and their inputs as they come."""
    import onnx  # noqa: PLC0415 - only an export needs it
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "quantised.onnx"
        quantize_dynamic(
            network_graph(model, settings),
            written,
            op_types_to_quantize=[QUANTISED],
            weight_type=QuantType.QUInt8,  # ONNX Runtime has no integer convolution of signed ones
        )
        graph = onnx.load(written)
    save(graph, path, metadata(model, settings, variant_name, "onnx-int8-dynamic"))
    kinds = [node.op_type for node in graph.graph.node]
    return {"quantised_layers": kinds.count("ConvInteger")}


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
