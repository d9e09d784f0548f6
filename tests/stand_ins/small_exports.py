"""A small network that is traced once for all tests of its exported files."""

from __future__ import annotations

import onnx

from featherface.export import onnx_file
from featherface.validation.case import VariantCase
from featherface.variants.table import variant

NAME = "v3-nano"


def small_network():
    """Return a network with no part at rest, always the same one."""
    return VariantCase(NAME, variant(NAME)).stirred()


def trace_once(shared_folder, monkeypatch):
    """Let exports of that network take the one trace that is made of it; return the network."""
    model, trace = small_network(), onnx_file._trace

    def write(folder):
        folder.mkdir()
        (folder / "raw.onnx").write_bytes(trace(model, 20).SerializeToString())

    raw = (shared_folder("traced-small-network", write) / "raw.onnx").read_bytes()
    monkeypatch.setattr(onnx_file, "_trace", lambda network, opset: onnx.load_from_string(raw))
    return model
