"""Half precision in ONNX: graphs whose operators share what stays in single precision."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.transformers.float16 import convert_float_to_float16

from featherface.export.onnx_half import unite_casts


def test_a_number_that_two_operators_take_in_single_precision_is_cast_once():
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "abc"]
    nodes = [
        helper.make_node("Relu", ["a"], ["r"]),
        helper.make_node("Softmax", ["r"], ["b"], axis=1),
        helper.make_node("Softmax", ["r"], ["c"], axis=1),
    ]
    graph = helper.make_graph(nodes, "shared", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    half = convert_float_to_float16(model, keep_io_types=True, op_block_list=["Softmax"])
    unite_casts(half.graph)
    ONNXModel(half).topological_sort()
    onnx.checker.check_model(half)
    session = onnxruntime.InferenceSession(
        half.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    numbers = np.array([[-1.0, 0.0, 1.0, 2.0]], np.float32)
    wanted = np.exp(numbers.clip(0)) / np.exp(numbers.clip(0)).sum()
    for given in session.run(None, {"a": numbers}):
        assert np.abs(given - wanted).max() < 1e-3
