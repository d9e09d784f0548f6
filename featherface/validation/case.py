"""The variant under validation, and the inputs it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from featherface.networks.detector import build

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig

LOUD = 60.0
"""Standard deviation of the random pictures' values."""
STILL = {"offset": 0.05, "modulator": 0.05, "heads.tasks.": 1.0, "move.weight": 1.0, "logs": 0.3}
"""Parts that start at rest, by a piece of their names, and the spread they are given: answers grow
as loud as a trained network's, and a difference shows."""


class FailedError(Exception):
    """The check found something wrong."""


@dataclass(frozen=True)
class VariantCase:
    """One variant, examined quickly or in full."""

    name: str
    config: DetectorConfig
    quick: bool = False

    def network(self) -> Detector:
        """Build it anew, with the same weights each time, in evaluation mode."""
        return build(self.config, seed=0).eval()

    def stirred(self) -> Detector:
        """Build it with no part at rest, loud answers, and statistics that have seen pictures."""
        model = self.network().train()
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for name, value in model.named_parameters():
                for part, spread in STILL.items():
                    if part in name:
                        value.normal_(std=spread, generator=generator)
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
