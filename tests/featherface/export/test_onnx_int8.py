"""Weights in 8 bits: graphs whose parts share weights, or compute them."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from featherface.export.onnx_int8 import quantised_dynamically

RANDOM = np.random.default_rng(0)
KERNEL = RANDOM.random((2, 3, 3, 3), np.float32)
MATRIX = RANDOM.random((4, 8), np.float32)


def model():
    """Two convolutions, one of whose weights are put together, and Gemms that share theirs."""
    values = [
        helper.make_tensor_value_info("a", TensorProto.FLOAT, [1, 3, 8, 8]),
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8]),
        *(helper.make_tensor_value_info(f"out{n}", TensorProto.FLOAT, None) for n in range(5)),
    ]
    nodes = [
        helper.make_node("Conv", ["a", "kernel"], ["out0"], name="plain"),
        helper.make_node("Concat", ["half", "half"], ["both"], axis=0),
        helper.make_node("Conv", ["a", "both"], ["out1"], name="computed"),
        *(
            helper.make_node("Gemm", ["x", "matrix"], [f"out{n}"], name=f"gemm{n}", transB=1)
            for n in (2, 3, 4)
        ),
    ]
    stored = {"kernel": KERNEL, "half": KERNEL[:1], "matrix": MATRIX}
    weights = [numpy_helper.from_array(values, name) for name, values in stored.items()]
    graph = helper.make_graph(nodes, "parts", values[:2], values[2:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def test_shared_and_computed_weights_stay_what_they_are():
    graph = quantised_dynamically(model())
    kinds = [node.op_type for node in graph.graph.node]
    assert kinds.count("ConvInteger") == 1, "of the weights that are stored"
    asked = {"a": RANDOM.random((1, 3, 8, 8), np.float32), "x": RANDOM.random((1, 8), np.float32)}
    wanted, given = (
        onnxruntime.InferenceSession(
            each.SerializeToString(), providers=["CPUExecutionProvider"]
        ).run(None, asked)
        for each in (model(), graph)
    )
    apart = [float(np.abs(a - b).max()) for a, b in zip(wanted, given, strict=True)]
    assert 0 < apart[0] < 0.2, "8 bits round the convolution"
    assert max(apart[1:]) < 1e-5
