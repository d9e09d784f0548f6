"""How a network's numbers lie in memory while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from featherface.networks.detector import Detector
    from featherface.training.config import TrainConfig


def lay_out(model: Detector, config: TrainConfig) -> Detector:
    """Put MODEL's numbers in the order that CONFIG wants; their values stay."""
    order = torch.channels_last if config.channels_last else torch.contiguous_format
    laid: Detector = model.to(memory_format=order)  # type: ignore[call-overload]
    return laid
