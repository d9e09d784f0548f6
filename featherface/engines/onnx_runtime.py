"""ONNX Runtime as an engine: .onnx files that `featherface.export` wrote."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import torch

from featherface.engines.engine import Answer, Engine
from featherface.engines.file_checks import (
    AGAIN,
    FORMAT,
    check_answers,
    check_manifest,
    precision_of,
)
from featherface.engines.table import OPSETS
from featherface.errors import UsageError, WeightsError
from featherface.weights.network_settings import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy import dtype, float32, ndarray
    from torch import Tensor

    from featherface.variants.config import DetectorConfig

INPUT = "images"
OUTPUTS = ("boxes", "scores", "landmarks")


PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""Type of a device -> what ONNX Runtime calls what computes there."""


class OnnxSession:
    """ONNX Runtime, with every optimisation that it has."""

    def __init__(self, path: Path, threads: int = 0, device: str = "cpu") -> None:
        """Open PATH on DEVICE; THREADS compute, 0 leaves their number to ONNX Runtime.

        Raises:
            UsageError: the ONNX Runtime that is installed can't compute on DEVICE.
            WeightsError: it is no file that ONNX Runtime can run.
        """
        import onnxruntime  # noqa: PLC0415 - slow to import, and only who runs a file needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=_providers(device, onnxruntime.get_available_providers())
            )
        except UsageError:
            raise
        except Exception as error:
            raise WeightsError(
                f"ONNX Runtime can't run {path}: {str(error).splitlines()[0]}", AGAIN
            ) from error
        self.device = torch.device(device)
        """What computes."""
        self.threads = threads or torch.get_num_threads()
        """Threads of the processor that compute, as far as is known."""
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.inputs = tuple(value.name for value in self._session.get_inputs())
        self.outputs = tuple(value.name for value in self._session.get_outputs())

    def __call__(self, images: ndarray[Any, dtype[float32]]) -> dict[str, Any]:
        """Return the outputs by name for IMAGES (B,3,H,W)."""
        return dict(zip(OUTPUTS, self.run(OUTPUTS, images), strict=True))

    def run(self, outputs: Sequence[str], images: ndarray[Any, dtype[float32]]) -> list[Any]:
        """Return OUTPUTS of the file for IMAGES (B,3,H,W)."""
        answers: list[Any] = self._session.run(list(outputs), {INPUT: images})
        return answers


def _providers(device: str, available: Sequence[str]) -> list[Any]:
    """Return what computes on DEVICE, such as `cuda:1`, with the processor for what it can't.

    Raises:
        UsageError: nothing AVAILABLE does.
    """
    kind, _, number = device.partition(":")
    name = PROVIDERS[kind]
    if name not in available:
        raise UsageError(
            f"the ONNX Runtime that is installed does not compute on {device}",
            "install onnxruntime-gpu in place of onnxruntime, or give --device cpu",
        )
    if kind == "cpu":
        return [name]
    return [(name, {"device_id": int(number or 0)}), PROVIDERS["cpu"]]


class OnnxRuntimeEngine(Engine):
    """A network in a file, computed by ONNX Runtime; pictures come and answers go on the CPU."""

    name = "onnxruntime"

    def __init__(self, path: Path, session: OnnxSession, config: DetectorConfig) -> None:
        super().__init__(config, torch.device("cpu"))
        self.path = path
        self.session = session

    @property
    def computes_on(self) -> torch.device:
        """What does the work."""
        return self.session.device

    @property
    def stored_in(self) -> str:
        """In which precision the file was written, by the format that its metadata name."""
        return precision_of(self.session.metadata.get(FORMAT, ""))

    def __call__(self, pictures: Tensor) -> Answer:
        """Look at PICTURES (B,3,H,W)."""
        outputs = self.session(pictures.numpy())
        boxes, scores, landmarks = (torch.from_numpy(outputs[name]) for name in OUTPUTS)
        return Answer(boxes, scores[..., 1], landmarks)

    def side_by_side(self) -> tuple[Engine, int]:
        """Return an engine of one thread a call, and how many may call it at once."""
        if self.computes_on.type != "cpu" or self.session.threads == 1:
            return self, 1
        alone = OnnxRuntimeEngine(self.path, OnnxSession(self.path, 1), self.config)
        alone.variant = self.variant
        return alone, self.session.threads

    def fingerprint(self) -> str:
        """Hash the file (SHA-256)."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def open_file(path: Path, threads: int = 0, device: str = "cpu") -> OnnxRuntimeEngine:
    """Open the file at PATH as a network, with the settings in its metadata.

    Raises:
        UsageError: ONNX Runtime can't compute on DEVICE here.
        WeightsError: it can't be run, doesn't say which network it is, or is another one.
    """
    check_manifest(path)
    _check_opset(path)
    session = OnnxSession(path, threads, device)
    known = settings_of(session.metadata, path)
    if known is None:
        raise WeightsError(
            f"{path} doesn't say which network it is of: it was not written by this program", AGAIN
        )
    if missing := {INPUT, *OUTPUTS} - {*session.inputs, *session.outputs}:
        raise WeightsError(
            f"{path} has no {' and no '.join(sorted(missing))}: its answers can't be decoded here",
            "take the plain file of the same network: thesis export --format onnx",
        )
    engine = OnnxRuntimeEngine(path, session, known.config)
    engine.variant = known.variant
    check_answers(engine, path)
    return engine


def _check_opset(path: Path) -> None:
    """Refuse a file of an operator set that is not written here; a damaged one is told later."""
    import onnx  # noqa: PLC0415 - as onnxruntime above

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception:  # noqa: BLE001 - of protobuf, whose classes onnx keeps to itself
        return
    own = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    if other := [version for version in own if version not in OPSETS]:
        raise WeightsError(
            f"{path} has the ONNX operator set {other[0]}; those that run here are"
            f" {', '.join(map(str, OPSETS))}",
            AGAIN,
        )
