"""ONNX in half precision inside, single precision in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featherface.export.onnx_file import network_graph, save
from featherface.export.onnx_metadata import metadata

if TYPE_CHECKING:
    from pathlib import Path

    from onnx import GraphProto

    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector

FORMAT = "onnx-fp16"
KEPT = ("DeformConv", "Resize", "Softmax")
"""Operators that stay in single precision: the first two ONNX Runtime computes in no other on the
CPU, and probabilities near 0 and 1 need the digits."""


def write_half(
    model: Detector, path: Path, settings: WriterSettings, variant_name: str
) -> dict[str, Any]:
    """Write MODEL to PATH in half precision but for the operators KEPT."""
    from onnxruntime.quantization.onnx_model import ONNXModel  # noqa: PLC0415 - as below
    from onnxruntime.transformers.float16 import (  # noqa: PLC0415 - slow, and for exports alone
        DEFAULT_OP_BLOCK_LIST,
        convert_float_to_float16,
    )

    graph = convert_float_to_float16(
        network_graph(model, settings),
        keep_io_types=True,
        op_block_list=[*DEFAULT_OP_BLOCK_LIST, *KEPT],
    )
    unite_casts(graph.graph)
    ONNXModel(graph).topological_sort()
    save(graph, path, metadata(model, settings, variant_name, FORMAT))
    kept = sorted({node.op_type for node in graph.graph.node} & set(KEPT))
    return {"kept_in_fp32": kept}


def unite_casts(graph: GraphProto) -> None:
    """Leave one of the casts that make the same number, in place.

    The library casts a number once for each operator that takes it in single precision, always
    under the same name, and a graph may give a name once only.
    """
    made, kept = set(), []
    for node in graph.node:
        output = node.output[0]
        if node.op_type != "Cast" or output not in made:
            kept.append(node)
        made.add(output)
    del graph.node[:]
    graph.node.extend(kept)
