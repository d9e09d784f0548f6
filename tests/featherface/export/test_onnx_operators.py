"""Operators of our own, written out in ONNX's, at any size and after they were folded for one."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from onnxruntime.quantization.shape_inference import quant_pre_process

from featherface.export.onnx_operators import DOMAIN, write_out_own
from featherface.networks.necks.bifpn import halve


@pytest.fixture
def halving(tmp_path):
    """An ONNX file that halves a map of any size."""
    dimensions = ["batch", 2, "height", "width"]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, dimensions) for name in "ab"]
    values[1].type.tensor_type.ClearField("shape")
    node = helper.make_node("Halve", ["a"], ["b"], domain=DOMAIN)
    graph = helper.make_graph([node], "halving", values[:1], values[1:])
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    write_out_own(model)
    path = tmp_path / "halving.onnx"
    onnx.save(model, path)
    return path


def answer(path, features):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"a": features})[0]


def below_zero(*size):
    """Features that are negative everywhere: a border of zeros would win against them."""
    return -1 - np.random.default_rng(0).random((1, 2, *size), np.float32)


@pytest.mark.parametrize("size", [(8, 12), (7, 12), (9, 5), (2, 2)])
def test_halving_is_that_of_pytorch(halving, size):
    features = below_zero(*size)
    wanted = halve(torch.from_numpy(features)).numpy()
    assert np.array_equal(answer(halving, features), wanted)
    assert (wanted >= 0).any(), "the border is in it"


def test_a_file_that_quantisers_prepare_for_one_size_halves_alike(halving, tmp_path):
    """Folding makes the padding constant, and ONNX Runtime joins one of zeros to the pooling.

    That would be wrong for good: pooling pads with what is less than anything.
    """
    features, fixed, ready = below_zero(8, 12), tmp_path / "fixed.onnx", tmp_path / "ready.onnx"
    model = onnx.load(halving)
    sizes = zip(model.graph.input[0].type.tensor_type.shape.dim, features.shape, strict=True)
    for dimension, size in sizes:
        dimension.dim_value = size
    onnx.save(model, fixed)
    quant_pre_process(str(fixed), str(ready), skip_symbolic_shape=True)
    assert "Shape" not in {node.op_type for node in onnx.load(ready).graph.node}, "it is folded"
    assert np.array_equal(answer(ready, features), answer(halving, features))
