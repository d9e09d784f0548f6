"""PyTorch as an engine: the network itself, on any device."""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING

import torch

from featherface.devices.precision import FULL, computing
from featherface.engines.engine import Answer, Engine
from featherface.variants.config import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig


class PyTorchEngine(Engine):
    """A network in eager PyTorch; the network's own device and tensors, nothing is copied."""

    name = "torch"

    def __init__(self, model: Detector, config: DetectorConfig | None = None) -> None:
        super().__init__(config or model.config, torch.device("cpu"))
        self.model = model

    @property
    def device(self) -> torch.device:
        """Where the network is now."""
        return next(self.model.parameters()).device

    @device.setter
    def device(self, device: torch.device) -> None:
        """Do nothing: a network is where its parameters are."""

    def __call__(self, pictures: Tensor) -> Answer:
        """Look at PICTURES (B,3,H,W)."""
        raw = self.model(pictures)
        return Answer(raw.boxes, torch.softmax(raw.logits.float(), -1)[..., 1], raw.landmarks)

    @contextlib.contextmanager
    def ready(self, precision: str = FULL) -> Iterator[None]:
        """Switch to evaluation in PRECISION inside the block, and back to what it was."""
        training = self.model.training
        self.model.eval()
        try:
            # Not inference mode: a training shares the priors that are made here.
            with torch.no_grad(), computing(self.model, precision):
                yield
        finally:
            self.model.train(training)

    def fingerprint(self) -> str:
        """Hash the network's shape and weights (SHA-256)."""
        values = ", ".join(f"{key}={value!r}" for key, value in identity(self.config).items())
        digest = hashlib.sha256(f"DetectorConfig({values})".encode())
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(name.encode("utf-8"))
            digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()
