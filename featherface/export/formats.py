"""The table of export formats. Lean: the command line reads its choices here."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from featherface.checks import require_legal
from featherface.engines.table import OPSETS
from featherface.errors import UnavailableError, UsageError, unknown
from featherface.export.conversion_tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray


class CalibrationPictures(NamedTuple):
    """Pictures on which quantisation measures the ranges of numbers inside a network."""

    origin: str
    """Where they are from, as the file's manifest says it."""
    pictures: Sequence[NDArray[np.uint8]]
    """(H,W,3) each, blue-green-red."""


ANOTHER_ORDER = 1e-3
"""Tolerance of single precision in another runtime, which adds in another order."""
UNLIMITED = math.inf
"""Tolerance of a format whose numbers have fewer bits: what it costs is told as AP."""


@dataclass(frozen=True, kw_only=True)
class ExportFormat:
    """One kind of file that a network can be written to."""

    title: str
    """What tables call it."""
    suffix: str
    """Ending of its files, no other format's."""
    summary: str
    engine: str = ""
    """Name in `featherface.engines.table.ENGINES` of what runs such a file here; empty where
    nothing does: it is converted and not run."""
    tools: tuple[str, ...] = ()
    """Modules that its writer imports beyond the core's."""
    extra: str = ""
    """Extra of this project that installs them."""
    tolerance: float | None = None
    """Largest difference of a score or box delta that passes; None leaves it to
    `export.tolerance`."""
    rounds: bool = False
    """Whether it stores or computes numbers in fewer bits, so that its cost must be measured."""
    converter: str = ""
    """Name in `featherface.export.conversion_tools.TOOLS` of what writes it in a process of its
    own; empty where this program writes it."""

    @property
    def install(self) -> str:
        """What installs what its writer needs; empty where the core suffices."""
        if self.converter and TOOLS[self.converter].environment:
            return "give the same command --make-environment too"
        return f'python -m pip install "thesis[{self.extra}]"' if self.extra else ""

    def missing(self) -> tuple[str, ...]:
        """Return those of its tools that are not installed."""
        if self.converter:
            tool = TOOLS[self.converter]
            return () if tool.python() else (tool.title,)
        return tuple(name for name in self.tools if importlib.util.find_spec(name) is None)

    def require_tools(self) -> None:
        """Check that its tools are installed.

        Raises:
            UnavailableError: one is not; the hint installs it.
        """
        if missing := self.missing():
            raise UnavailableError(f"{self.title} needs {' and '.join(missing)}", self.install)


FORMATS: dict[str, ExportFormat] = {
    "onnx": ExportFormat(
        title="ONNX",
        suffix=".onnx",
        summary="ONNX with native DeformConv, any batch and size",
        engine="onnxruntime",
    ),
    "onnx-nms": ExportFormat(
        title="ONNX with NMS",
        suffix=".nms.onnx",
        summary="the same with decoding and suppression inside: one more output, `detections`",
        engine="onnxruntime",
    ),
    "onnx-fp16": ExportFormat(
        title="ONNX FP16",
        suffix=".fp16.onnx",
        summary="half precision inside, single precision in and out; half the size",
        engine="onnxruntime",
        tolerance=UNLIMITED,
        rounds=True,
    ),
    "onnx-int8-dynamic": ExportFormat(
        title="ONNX INT8, dynamic",
        suffix=".int8-dynamic.onnx",
        summary="weights of convolutions in 8 bits, activations as they come",
        engine="onnxruntime",
        tolerance=UNLIMITED,
        rounds=True,
    ),
    "onnx-int8": ExportFormat(
        title="ONNX INT8, static",
        suffix=".int8.onnx",
        summary="convolutions in 8 bits, ranges measured on pictures, sensitive blocks left alone",
        engine="onnxruntime",
        tolerance=UNLIMITED,
        rounds=True,
    ),
    "tflite": ExportFormat(
        title="TFLite",
        suffix=".tflite",
        summary="TFLite in single precision, one size",
        engine="litert",
        converter="litert",
        tolerance=ANOTHER_ORDER,
    ),
    "tflite-fp16": ExportFormat(
        title="TFLite FP16",
        suffix=".fp16.tflite",
        summary="TFLite with half weights, computed in single precision, one size",
        engine="litert",
        converter="litert",
        tolerance=UNLIMITED,
        rounds=True,
    ),
    "tflite-int8": ExportFormat(
        title="TFLite INT8",
        suffix=".int8.tflite",
        summary="TFLite with 8-bit convolutions but those that answer or move taps, one size",
        engine="litert",
        converter="litert",
        tolerance=UNLIMITED,
        rounds=True,
    ),
    "openvino": ExportFormat(
        title="OpenVINO",
        suffix=".openvino.zip",
        summary="OpenVINO's network.xml and network.bin in an archive, one size",
        extra="openvino",
        converter="openvino",
        tolerance=ANOTHER_ORDER,
    ),
    "executorch": ExportFormat(
        title="ExecuTorch",
        suffix=".pte",
        summary="ExecuTorch for XNNPACK, one size",
        extra="executorch",
        converter="executorch",
        tolerance=ANOTHER_ORDER,
    ),
    "coreml": ExportFormat(
        title="Core ML",
        suffix=".mlpackage.zip",
        summary="Core ML's network.mlpackage in an archive, for iOS 17 and macOS 14, one size",
        extra="coreml",
        converter="coreml",
        tolerance=ANOTHER_ORDER,
    ),
    "ncnn": ExportFormat(
        title="ncnn",
        suffix=".ncnn.zip",
        summary="ncnn's network.param and network.bin in an archive, one size",
        extra="ncnn",
        converter="ncnn",
        tolerance=ANOTHER_ORDER,
    ),
    "tensorrt": ExportFormat(
        title="TensorRT",
        suffix=".engine",
        summary="TensorRT engine for the card that is here; elsewhere what builds it, one size",
        tolerance=ANOTHER_ORDER,
    ),
}
"""Every format by name; `featherface.export.writing` holds one writer per name."""


@dataclass(frozen=True, kw_only=True)
class WriterSettings:
    """What a writer is told besides the network and its name."""

    opset: int = 20
    """ONNX operator set."""
    run: str = ""
    """Id of the run that the network is of, such as `v2@1`; empty for a file of weights."""
    pictures: Callable[[], CalibrationPictures] | None = None
    """Gives what quantisation measures ranges on, where a format asks for it; None draws some."""
    traces: dict[int, bytes] = field(default_factory=dict)
    """ONNX graphs that a writer of this export has traced, by operator set: tracing takes longer
    than all else, and several formats begin with the same graph."""
    image_size: int = 640
    """Height and width in pixels of a file that takes one size."""


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """What to write and how to check it."""

    formats: tuple[str, ...] = ("onnx",)
    """Names of formats; empty for none."""
    opset: int = 20
    """ONNX operator set."""
    parity_sizes: tuple[tuple[int, int], ...] = ((320, 320), (480, 640))
    """Heights and widths in pixels at which the file is compared with the network."""
    parity_batches: tuple[int, ...] = (1, 2)
    """Pictures at a time in the comparison; each goes with each size."""
    tolerance: float = 1e-4
    """Largest difference of a score or box delta that passes."""
    validate: bool = True
    """Whether files in formats that round are evaluated on `data.val_split`, and what they lose
    recorded (`export.<format>.ap_loss…`)."""
    calibrate: str | None = None
    """Folder of pictures, relative to the workspace, on which INT8 measures ranges; None takes
    pictures of `data.train_split`."""
    image_size: int = 640
    """Height and width in pixels of a file that takes one size (TFLite, Core ML, …); a multiple of
    32."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "formats", tuple(self.formats))
        sizes = tuple((int(height), int(width)) for height, width in self.parity_sizes)
        object.__setattr__(self, "parity_sizes", sizes)
        object.__setattr__(self, "parity_batches", tuple(self.parity_batches))
        for name in self.formats:
            if name not in FORMATS:
                raise UsageError(f"export.formats: {unknown('format', name, FORMATS)}")
        _check("opset", self.opset, f"one of {OPSETS}", self.opset in OPSETS)
        legal = bool(sizes) and all(side > 0 for size in sizes for side in size)
        _check("parity_sizes", sizes, "heights and widths from 1", legal)
        legal = bool(self.parity_batches) and all(batch > 0 for batch in self.parity_batches)
        _check("parity_batches", self.parity_batches, "whole numbers from 1", legal)
        legal = self.image_size > 0 and self.image_size % 32 == 0
        _check("image_size", self.image_size, "a multiple of 32", legal)
        _check("tolerance", self.tolerance, "positive", self.tolerance > 0)


def _check(key: str, value: object, wanted: str, legal: bool) -> None:
    require_legal(legal, f"export.{key}", value, wanted)
