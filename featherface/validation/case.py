"""The network under examination, and the pictures it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from featherface.networks import build

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.variants import DetectorConfig

LOUD = 60.0
"""Standard deviation of the random pictures' values."""
STIR = 0.02
"""Standard deviation of what is added to first weights, so that no part is still at its start."""


class FailedError(Exception):
    """The check found something wrong."""


@dataclass(frozen=True)
class Case:
    """One variant, examined quickly or in full."""

    name: str
    config: DetectorConfig
    quick: bool = False

    def network(self) -> Detector:
        """Build it anew, with the same weights each time, in evaluation mode."""
        return build(self.config, seed=0).eval()

    def stirred(self) -> Detector:
        """Build it with weights that have left their start and statistics that have seen some."""
        model = self.network()
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for value in model.parameters():
                value.add_(STIR * torch.randn(value.shape, generator=generator))
            model.train()
            for seed in range(3):
                model(pictures(2, 96, 96, seed))
        return model.eval()


def pictures(batch: int, height: int, width: int, seed: int = 0) -> Tensor:
    """Return random pictures (B,3,H,W)."""
    generator = torch.Generator().manual_seed(seed)
    return LOUD * torch.randn(batch, 3, height, width, generator=generator)


def require(holds: object, otherwise: str) -> None:
    """Fail with OTHERWISE unless HOLDS."""
    if not holds:
        raise FailedError(otherwise)
