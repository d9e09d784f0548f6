"""ONNX files: native DeformConv, any batch, any height and width.

The network is traced at one size and freed of it afterwards. Tracing with symbolic sizes gives
the same graph and takes ten times as long; the only traces of the size are the batch in the
heads' reshapes and the declared shapes, and the parity check runs other sizes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from featherface.engines.onnx_runtime import INPUT, OUTPUTS
from featherface.errors import UnavailableError
from featherface.export.deployed import deployed
from featherface.export.onnx_metadata import metadata
from featherface.export.onnx_names import tidy
from featherface.export.onnx_operators import translations, write_out_own
from featherface.export.quiet import quiet
from featherface.filesystem.atomic import replacing
from featherface.networks.layers.exporting import own_operators

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector

TRACED = (2, 3, 64, 96)
"""Shape of the picture used for tracing; two pictures, as one would be taken for a constant."""


class _Deployed(nn.Module):
    """The network with probabilities in place of logits."""

    def __init__(self, model: Detector) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        raw = self.model(images)
        return raw.boxes, raw.logits.softmax(-1), raw.landmarks


def write_onnx(model: Detector, path: Path, settings: WriterSettings, variant_name: str) -> None:
    """Write MODEL to PATH with what decoding needs in the file's metadata.

    Outputs: boxes (B,N,4) and landmarks (B,N,10) as deltas of the priors, scores (B,N,2) as
    probabilities of background and face.
    """
    save(network_graph(model, settings), path, metadata(model, settings, variant_name, "onnx"))


def network_graph(model: Detector, settings: WriterSettings) -> Any:
    """Return MODEL as an ONNX model of its own, for any batch, height and width, without metadata.

    Its nodes are called after the modules that they come from: `backbone.stage1.0.0/Conv`.
    """
    import onnx  # noqa: PLC0415 - only an export needs it

    if settings.opset not in settings.traces:
        graph = _trace(model, settings.opset)
        _free_sizes(graph)
        write_out_own(graph)
        tidy(graph)
        settings.traces[settings.opset] = graph.SerializeToString()
    return onnx.load_from_string(settings.traces[settings.opset])


def save(graph: Any, path: Path, values: Mapping[str, str]) -> None:
    """Check GRAPH, and write it to PATH with VALUES as its metadata."""
    import onnx  # noqa: PLC0415 - as above

    del graph.metadata_props[:]
    for key, value in values.items():
        entry = graph.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(graph)
    with replacing(path) as temporary:
        temporary.write_bytes(graph.SerializeToString())


def traced(model: Detector, dtype: torch.dtype = torch.float32) -> nn.Module:
    """Return a copy of MODEL in DTYPE as it is traced: probabilities, normalisations folded."""
    network = _Deployed(deployed(model).to(dtype)).eval()
    _fold_normalisations(network)
    return network


def _trace(model: Detector, opset: int) -> Any:
    network = traced(model)
    with quiet(), own_operators(), torch.no_grad():
        program = torch.onnx.export(
            network,
            (torch.zeros(TRACED),),
            dynamo=True,
            opset_version=opset,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            custom_translation_table=translations(opset),
            verbose=False,
        )
    if program is None:
        raise UnavailableError("the ONNX exporter gave no program", "check the torch version")
    return program.model_proto


def _fold_normalisations(model: nn.Module) -> None:
    """Merge each normalisation into the convolution before it; tracing is a quarter faster."""
    for chain in [module for module in model.modules() if isinstance(module, nn.Sequential)]:
        for index in range(len(chain) - 1):
            first, second = chain[index], chain[index + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                chain[index] = fuse_conv_bn_eval(first, second)
                chain[index + 1] = nn.Identity().eval()


def _free_sizes(model: Any) -> None:
    """Make batch, height and width of the traced MODEL variable."""
    from onnx import numpy_helper  # noqa: PLC0415 - as above

    graph = model.graph
    reshapes = [node for node in graph.node if node.op_type == "Reshape"]
    for node in reshapes:
        del node.attribute[:]  # its only one would take the zero below literally
    shapes = {node.input[1] for node in reshapes}
    for constant in graph.initializer:
        if constant.name in shapes:
            shape = numpy_helper.to_array(constant).copy()
            if shape.tolist()[:2] == [TRACED[0], -1]:
                shape[0] = 0  # ONNX: keep what the input has
                constant.CopyFrom(numpy_helper.from_array(shape, constant.name))
    del graph.value_info[:]
    _declare(graph.input[0], ("batch", None, "height", "width"))
    for output in graph.output:
        _declare(output, ("batch", "priors", None))


def _declare(value: Any, names: tuple[str | None, ...]) -> None:
    for dimension, name in zip(value.type.tensor_type.shape.dim, names, strict=True):
        if name:
            dimension.dim_param = name
