"""ONNX Runtime as an engine: .onnx files that `featherface.export` wrote."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import torch

from featherface.engines.engine import Answer, Engine
from featherface.errors import WeightsError
from featherface.weights.network_settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy import dtype, float32, ndarray
    from torch import Tensor

    from featherface.variants.config import DetectorConfig

INPUT = "images"
OUTPUTS = ("boxes", "scores", "landmarks")


class OnnxSession:
    """ONNX Runtime on the CPU, with every optimisation that it has."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Open PATH; THREADS compute, 0 leaves their number to ONNX Runtime.

        Raises:
            WeightsError: it is no file that ONNX Runtime can run.
        """
        import onnxruntime  # noqa: PLC0415 - slow to import, and only who runs a file needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise WeightsError(
                f"ONNX Runtime can't run {path}: {str(error).splitlines()[0]}",
                "write it again: thesis export",
            ) from error
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, images: ndarray[Any, dtype[float32]]) -> dict[str, Any]:
        """Return the outputs by name for IMAGES (B,3,H,W)."""
        return dict(zip(OUTPUTS, self.run(OUTPUTS, images), strict=True))

    def run(self, outputs: Sequence[str], images: ndarray[Any, dtype[float32]]) -> list[Any]:
        """Return OUTPUTS of the file for IMAGES (B,3,H,W)."""
        answers: list[Any] = self._session.run(list(outputs), {INPUT: images})
        return answers


class OnnxRuntimeEngine(Engine):
    """A network in a file, computed by ONNX Runtime on the CPU."""

    name = "onnxruntime"

    def __init__(self, path: Path, session: OnnxSession, config: DetectorConfig) -> None:
        super().__init__(config, torch.device("cpu"))
        self.path = path
        self.session = session

    def __call__(self, pictures: Tensor) -> Answer:
        """Look at PICTURES (B,3,H,W)."""
        outputs = self.session(pictures.numpy())
        boxes, scores, landmarks = (torch.from_numpy(outputs[name]) for name in OUTPUTS)
        return Answer(boxes, scores[..., 1], landmarks)

    def fingerprint(self) -> str:
        """Hash the file (SHA-256)."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def open_file(path: Path, threads: int = 0) -> OnnxRuntimeEngine:
    """Open the file at PATH as a network, with the settings in its metadata.

    Raises:
        WeightsError: it can't be run, or doesn't say which network it is.
    """
    session = OnnxSession(path, threads)
    known = settings_of(session.metadata, path)
    if known is None:
        raise WeightsError(
            f"{path} doesn't say which network it is of: it was not written by this program",
            "write it again: thesis export",
        )
    return OnnxRuntimeEngine(path, session, known.config)
