"""Traces of networks for ONNX that are made once for all processes of the tests."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from featherface.networks.detector import Detector

FILE = "trace.onnx"


def digest_of(model: Detector, opset: int) -> str:
    """Return what decides about a trace: the modules of MODEL, their tensors, and OPSET."""
    digest = hashlib.sha256(f"{opset} {model.config} {model}".encode())
    for name, value in model.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


class RememberedTraces:
    """Traces by what was traced, in folders that SHARED makes."""

    def __init__(self, shared: Callable[[str, Callable[[Path], None]], Path]) -> None:
        self.shared = shared

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Let exports take a trace of the same network where there is one, and leave theirs.

        All that comes after the trace is done anew. The first trace of a process takes 4 s, most of
        it to import PyTorch's exporter, each further one 2 s. Tests of the trace itself go without.
        """
        import onnx  # noqa: PLC0415 - most tests export nothing

        from featherface.export import onnx_file  # noqa: PLC0415 - as above

        trace = onnx_file._trace

        def taken(model, opset):
            def write(folder):
                folder.mkdir()
                (folder / FILE).write_bytes(trace(model, opset).SerializeToString())

            folder = self.shared(f"trace-{digest_of(model, opset)}", write)
            return onnx.load_from_string((folder / FILE).read_bytes())

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(onnx_file, "_trace", taken)
            yield
