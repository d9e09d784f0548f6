"""Convolutions of 8 bits in a TFLite file, but for the blocks that these spoil.

Sources: https://github.com/google-ai-edge/ai-edge-quantizer (static, per channel, ranges from the
least and largest numbers on pictures).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.export.conversion_scripts.jobs import NAMES
from featherface.export.eight_bits.answer_errors import LOOKED_AT, mean_error

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from featherface.variants.config import DetectorConfig

KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D")
"""Operators whose numbers become 8 bits."""
BITS = 8
UNNAMED = "convolutions"
"""Module that a convolution counts to whose weights no module of the network has."""


class QuantisableFile:
    """A TFLite file whose convolutions can be quantised one by one, with what it answers."""

    def __init__(
        self,
        content: bytes,
        config: DetectorConfig,
        pictures: NDArray[np.float32],
        weights: Mapping[str, NDArray[np.float32]],
        threads: int,
    ) -> None:
        """CONTENT is the file's; PICTURES (B,3,H,W) give the ranges, WEIGHTS by name the names."""
        self.content, self.config, self.threads = content, config, threads
        self.pictures = [picture[None] for picture in pictures]
        self._outputs = layer_outputs(content, weights)

    @property
    def layers(self) -> list[str]:
        """Names of the convolutions, in their order, each beginning with its module."""
        return list(self._outputs)

    def quantised(self, layers: Collection[str]) -> bytes:
        """Return the file's content with LAYERS in 8 bits."""
        if not layers:
            return self.content
        work = self._quantizer(layers)
        done = work.quantize(self._ranges, enable_progress_report=False)
        return bytes(done.quantized_model)

    def error(self, graph: bytes) -> float:
        """Return how far the strongest answers of GRAPH, a file's content, are from the file's."""
        return mean_error(self.config, self.pictures, self._reference, self._answers(graph))

    @cached_property
    def _reference(self) -> list[dict[str, NDArray[np.float32]]]:
        return self._answers(self.content)

    @cached_property
    def _ranges(self) -> Any:
        asked = [{"images": picture} for picture in self.pictures]
        work = self._quantizer(self.layers)
        return work.calibrate({"serving_default": asked}, num_threads=self.threads or 1)

    def _quantizer(self, layers: Collection[str]) -> Any:
        from ai_edge_quantizer import quantizer
        from ai_edge_quantizer.qtyping import TFLOperationName

        work = quantizer.Quantizer(bytearray(self.content))
        for name in layers:
            output = f"^{re.escape(self._outputs[name][1])};?$"  # it puts one after each output
            kind = TFLOperationName[self._outputs[name][0]]
            work.add_static_config(output, kind, BITS, BITS)
        return work

    def _answers(self, content: bytes) -> list[dict[str, NDArray[np.float32]]]:
        from ai_edge_litert.interpreter import Interpreter

        session = Interpreter(model_content=content, num_threads=self.threads or None)
        signature = session.get_signature_runner()
        answers = [signature(images=picture) for picture in self.pictures[:LOOKED_AT]]
        return [{name: np.array(answer[name]) for name in NAMES} for answer in answers]


def layer_outputs(
    content: bytes, weights: Mapping[str, NDArray[np.float32]]
) -> dict[str, tuple[str, str]]:
    """Return each convolution's name -> its operator and what the file CONTENT calls its output.

    The converter forgets modules; a convolution is called after the one of WEIGHTS that it has,
    and its operator: `backbone.stage1.0.0/CONV_2D`.
    """
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    wanted = {getattr(schema.BuiltinOperator, name): name for name in KINDS}
    modules = {_key(kernel): name.rpartition(".")[0] for name, kernel in weights.items()}
    seen: Counter[str] = Counter()
    outputs: dict[str, tuple[str, str]] = {}
    for operator in graph.operators:
        kind = wanted.get(codes[operator.opcodeIndex])
        if kind is None:
            continue
        kernel = _kernel(model, graph.tensors[operator.inputs[1]], kind)
        name = f"{modules.get(_key(kernel)) or f'{UNNAMED}.{len(outputs)}'}/{kind}"
        seen[name] += 1
        name = name if seen[name] == 1 else f"{name}_{seen[name]}"
        outputs[name] = (kind, graph.tensors[operator.outputs[0]].name.decode())
    return outputs


def _kernel(model: Any, tensor: Any, kind: str) -> NDArray[np.float32]:
    """Return the weights of a convolution as PyTorch has them: (out, in, H, W)."""
    data = model.buffers[tensor.buffer].data
    if data is None:
        return np.zeros(0, np.float32)
    values = np.frombuffer(bytes(data), np.float32)
    if values.size != np.prod(tensor.shape):
        return np.zeros(0, np.float32)
    kernel = values.reshape(tensor.shape)
    return kernel.transpose(3, 0, 1, 2) if kind == KINDS[1] else kernel.transpose(0, 3, 1, 2)


def _key(kernel: NDArray[np.float32]) -> tuple[Sequence[int], bytes]:
    return kernel.shape, np.ascontiguousarray(kernel, np.float32).tobytes()
