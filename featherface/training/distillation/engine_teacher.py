"""A teacher that an engine computes: quicker than PyTorch, for its outputs and not for its maps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from featherface.errors import UsageError
from featherface.networks.detector import RawOutput

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.engines.engine import Engine
    from featherface.networks.detector import Detector

LEAST = 1e-30
"""Probability of a face below which its logarithm says no more."""
MOST = 1 - 2**-24
"""The largest below 1 in single precision; the background's share is the rest."""


class EngineTeacher(nn.Module):
    """The frozen network MODEL as ENGINE computes it, on the CPU wherever the student is.

    Its logits are the logarithms of the probabilities, from which softmax gives the same at any
    temperature.
    """

    def __init__(self, model: Detector, engine: Engine) -> None:
        super().__init__()
        if engine.fixed_size is not None:
            raise UsageError(
                f"{engine.name} computes pictures of one size alone, and a training has several",
                "distil with distill.teacher_engine: torch",
            )
        self.model, self.engine = model, engine
        self.config = model.config

    def forward(self, images: Tensor) -> RawOutput:
        """Look at IMAGES (B,3,H,W)."""
        with self.engine.ready():
            answer = self.engine(images.detach().float().to(self.engine.device))
        faces = answer.scores.clamp(LEAST, MOST)
        logits = torch.stack((torch.log1p(-faces), torch.log(faces)), -1)
        parts = (part.to(images.device) for part in (answer.boxes, logits, answer.landmarks))
        return RawOutput(*parts)

    def state_dict(self, *arguments: Any, **options: Any) -> Any:
        """Return the network's own tensors, from which a student may start."""
        return self.model.state_dict(*arguments, **options)
