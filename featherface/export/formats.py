"""The table of export formats. Lean: the command line reads its choices here."""

from __future__ import annotations

from dataclasses import dataclass

from featherface.checks import require_legal
from featherface.errors import UsageError, unknown


@dataclass(frozen=True, kw_only=True)
class ExportFormat:
    """One kind of file that a network can be written to."""

    title: str
    """What tables call it."""
    suffix: str
    summary: str


FORMATS: dict[str, ExportFormat] = {
    "onnx": ExportFormat(
        title="ONNX", suffix=".onnx", summary="ONNX with native DeformConv, any batch and size"
    ),
}
"""Every format by name; `featherface.export.writing` holds one writer per name."""

OPSETS = (19, 20, 21)
"""ONNX operator sets with DeformConv; the tests write the default one."""


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
        _check("tolerance", self.tolerance, "positive", self.tolerance > 0)


def _check(key: str, value: object, wanted: str, legal: bool) -> None:
    require_legal(legal, f"export.{key}", value, wanted)
