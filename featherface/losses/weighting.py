"""Weights of faces in the loss: more for hard ones, more for small ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from featherface.devices.all_reduce import averaged, divisor

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.losses.config import LossConfig
    from featherface.losses.selection import PriorSelection

SMALL, LARGE = 16.0, 256.0
"""Sides in pixels between which a face's weight follows its size."""


def weigh(
    chosen: PriorSelection, scores: Tensor, boxes: Tensor, side: int, loss: LossConfig
) -> Tensor | None:
    """Return weights (B, P) of the CHOSEN face priors, 1 on average; None where all count alike.

    The average is that of all processes. SCORES (...) are the face probabilities that the network
    gives the rows, BOXES (..., 4) the corners of their faces in shares of a picture of SIDE pixels.
    Nothing flows back through the weights.
    """
    if loss.hard_weight == 1 and loss.small_weight == 1:
        return None
    missed = 1 - scores.detach()
    sizes = side * (boxes[..., 2:] - boxes[..., :2]).prod(-1).clamp_min(1e-12).sqrt()
    octaves = torch.log2(LARGE / sizes) / math.log2(LARGE / SMALL)
    weights = 1 + (loss.hard_weight - 1) * missed
    weights = weights * loss.small_weight ** octaves.clamp(0, 1)
    mean = averaged(chosen.total(weights)) / divisor(chosen.count, weights)
    return chosen.spread(weights / mean)
