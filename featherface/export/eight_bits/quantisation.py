"""8-bit convolutions in an ONNX graph, with ranges measured on pictures, and what they cost.

Every quantised convolution gets its input through a pair QuantizeLinear, DequantizeLinear, and its
weights in 8 bits per output channel; an engine joins them to integer arithmetic. The graph is not
optimised beforehand: ONNX Runtime's own preparation can fold a padding into the max pooling after
it, for good, and then the file computes something else wherever it runs.
"""

from __future__ import annotations

import contextlib
import copy
import io
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featherface.engines.onnx_runtime import INPUT, OUTPUTS
from featherface.errors import UnavailableError
from featherface.export.eight_bits.answer_errors import LOOKED_AT, mean_error

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from featherface.variants.config import DetectorConfig

QUANTISED = "Conv"
"""The operator that is quantised: all operators in 8 bits break deformable networks."""


@dataclass
class Calibrated:
    """An ONNX graph with what its numbers were on pictures."""

    graph: Any
    config: DetectorConfig
    inputs: Sequence[NDArray[np.float32]]
    """Pictures as the network takes them, (1,3,H,W) each."""

    @cached_property
    def layers(self) -> list[str]:
        """Names of the nodes that can be quantised, in their order."""
        return [node.name for node in self.graph.graph.node if node.op_type == QUANTISED]

    def quantised(self, layers: Collection[str]) -> Any:
        """Return a copy of the graph in which LAYERS compute in 8 bits."""
        from onnxruntime.quantization import QuantType  # noqa: PLC0415 - exports alone need it
        from onnxruntime.quantization.qdq_quantizer import QDQQuantizer  # noqa: PLC0415 - as above

        if not layers:
            return copy.deepcopy(self.graph)  # to the library no name means all
        quantiser = QDQQuantizer(
            copy.deepcopy(self.graph),
            per_channel=True,
            reduce_range=True,  # 7 bits of weights: 8 overflow on processors without VNNI
            weight_qType=QuantType.QInt8,
            activation_qType=QuantType.QUInt8,
            tensors_range=self._ranges,
            nodes_to_quantize=list(layers),
            nodes_to_exclude=[],
            op_types_to_quantize=[QUANTISED],
            extra_options={},
        )
        quantiser.quantize_model()
        quantiser.model.topological_sort()
        return quantiser.model.model

    def error(self, graph: Any) -> float:
        """Return how far GRAPH's strongest answers are from this one's.

        The mean difference of their scores plus the mean of what their boxes lack of full overlap.
        """
        answers = _answers(graph, self.inputs[:LOOKED_AT])
        return mean_error(self.config, self.inputs, self._reference, answers)

    @cached_property
    def _reference(self) -> list[dict[str, NDArray[np.float32]]]:
        return _answers(self.graph, self.inputs[:LOOKED_AT])

    @cached_property
    def _ranges(self) -> Any:
        """The values of each tensor around the layers; the outermost 0.001 % are cut off."""
        from onnxruntime.quantization import CalibrationMethod  # noqa: PLC0415 - as above
        from onnxruntime.quantization.calibrate import create_calibrator  # noqa: PLC0415 - as above

        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            source = Path(folder) / "network.onnx"
            source.write_bytes(self.graph.SerializeToString())
            calibrator = create_calibrator(
                source,
                [QUANTISED],
                augmented_model_path=str(Path(folder) / "observed.onnx"),
                calibrate_method=CalibrationMethod.Percentile,
            )
            try:
                calibrator.collect_data(_Feed(self.inputs))
                ranges = calibrator.compute_data()
            except ValueError as error:  # NumPy's, of a map that is the same everywhere
                raise UnavailableError(
                    f"8 bits: a map inside the network hardly varies on the {len(self.inputs)}"
                    " pictures that ranges are measured on",
                    "give more pictures, of your own: --calibrate FOLDER, or export.calibrate",
                ) from error
            del calibrator  # Windows removes no file that a session still has open
        return ranges


class _Feed:
    """The pictures one by one, as the calibrator asks for them."""

    def __init__(self, inputs: Sequence[NDArray[np.float32]]) -> None:
        self._left: Iterator[NDArray[np.float32]] = iter(inputs)

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> dict[str, NDArray[np.float32]]:
        return {INPUT: next(self._left)}

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next picture as the input of a session; None where none is left."""
        return next(self, None)


def _answers(
    graph: Any, inputs: Sequence[NDArray[np.float32]]
) -> list[dict[str, NDArray[np.float32]]]:
    import onnxruntime  # noqa: PLC0415 - as above

    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return [
        dict(zip(OUTPUTS, session.run(list(OUTPUTS), {INPUT: picture}), strict=True))
        for picture in inputs
    ]
