"""ONNX's operators for ours, for any height and width.

A network is traced at one size, and the exporter's optimiser takes what follows from it for
constants. So those operators that depend on the size stay whole, in a domain of their own, until
it is done; then `write_out_own` puts ONNX's operators in their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featherface.networks.layers import deformable, enlarging
from featherface.networks.necks import bifpn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from onnx import ModelProto, NodeProto

DOMAIN = "featherface"


def translations(opset: int) -> dict[Any, Callable[..., Any]]:
    """Return operator of PyTorch -> what writes it for the operators of OPSET."""
    import onnxscript  # noqa: PLC0415 - slow to import, and only an export needs it

    operators = getattr(onnxscript, f"opset{opset}")
    enlarge, halve = _own_operator("Enlarge", "small", "like"), _own_operator("Halve", "features")

    def deform_conv(features: Any, offset: Any, mask: Any, weight: Any) -> Any:
        return operators.DeformConv(
            features, weight, offset, None, mask, kernel_shape=[3, 3], pads=[1, 1, 1, 1]
        )

    return {
        deformable.operator(): deform_conv,
        enlarging.operator(): enlarge,
        bifpn.operator(): halve,
    }


def _own_operator(kind: str, *inputs: str) -> Any:
    """Return an operator that only stands for itself, of INPUTS and the type that they have."""
    from onnx.defs import OpSchema  # noqa: PLC0415 - as above
    from onnxscript import values  # noqa: PLC0415 - as above

    schema = OpSchema(
        kind,
        DOMAIN,
        1,
        inputs=[OpSchema.FormalParameter(name, "T") for name in inputs],
        outputs=[OpSchema.FormalParameter("output", "T")],
        type_constraints=[("T", ["tensor(float)"], "")],
    )
    return values.Op(values.Opset(DOMAIN, 1), kind, schema)


def write_out_own(model: ModelProto) -> None:
    """Replace what `translations` left in the domain of our own by operators of ONNX, in place."""
    graph = model.graph
    constants = dict(_constants())
    nodes: list[NodeProto] = []
    for node in graph.node:
        nodes += _WRITTEN_OUT[node.op_type](node) if node.domain == DOMAIN else [node]
    used = {name for node in nodes for name in node.input}
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(value for name, value in constants.items() if name in used)
    kept = [opset for opset in model.opset_import if opset.domain != DOMAIN]
    del model.opset_import[:]
    model.opset_import.extend(kept)


_NONE, _AFTER, _TWO, _VALUE = (f"{DOMAIN}_{name}" for name in ("none", "after", "two", "value"))


def _constants() -> Iterator[tuple[str, Any]]:
    """Yield name and value of the constants that the operators written out share."""
    import numpy as np  # noqa: PLC0415 - as above
    from onnx import numpy_helper  # noqa: PLC0415 - as above

    values = {
        _NONE: np.array([0, 0], np.int64),
        _AFTER: np.array([0, 0, 1, 1], np.int64),
        _TWO: np.array([2], np.int64),
        _VALUE: np.array(bifpn.ALMOST_ZERO, np.float32),
    }
    for name, value in values.items():
        yield name, numpy_helper.from_array(value, name)


def _enlarge(node: NodeProto) -> Iterator[NodeProto]:
    """Yield a nearest interpolation of the first input to height and width of the second."""
    small, like = node.input
    (enlarged,) = node.output
    name = _namer(enlarged)
    yield _node("Shape", [small], name("channels"), start=0, end=2)
    yield _node("Shape", [like], name("size"), start=2, end=4)
    yield _node("Concat", [name("channels"), name("size")], name("shape"), axis=0)
    yield _node(
        "Resize",
        [small, "", "", name("shape")],
        enlarged,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _halve(node: NodeProto) -> Iterator[NodeProto]:
    """Yield a max pooling with stride 2 of the input, padded as TensorFlow's "same" does."""
    (features,), (halved,) = node.input, node.output
    name = _namer(halved)
    yield _node("Shape", [features], name("size"), start=2, end=4)
    yield _node("Mod", [name("size"), _TWO], name("odd"))
    yield _node("Concat", [_NONE, name("odd"), _AFTER], name("pads"), axis=0)
    yield _node("Pad", [features, name("pads"), _VALUE], name("padded"))
    yield _node("MaxPool", [name("padded")], halved, kernel_shape=[3, 3], strides=[2, 2])


_WRITTEN_OUT: dict[str, Callable[[NodeProto], Iterator[NodeProto]]] = {
    "Enlarge": _enlarge,
    "Halve": _halve,
}


def _namer(output: str) -> Callable[[str], str]:
    return lambda part: f"{output}_{part}"


def _node(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
    from onnx import helper  # noqa: PLC0415 - as above

    return helper.make_node(kind, inputs, [output], name=f"node_{output}", **attributes)
