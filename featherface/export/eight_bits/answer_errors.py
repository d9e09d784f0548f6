"""How far answers of a rounded network are from those of the network itself, in what it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from featherface.geometry.boxes import decode
from featherface.geometry.priors import priors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from featherface.variants.config import DetectorConfig

    Answers = Mapping[str, NDArray[np.float32]]
    """Outputs by name of one picture: boxes (1,N,4), scores (1,N,2), landmarks (1,N,10)."""

LOOKED_AT = 4
"""Pictures on which errors are measured, fewer than those that give the ranges."""
STRONGEST = 200
"""Priors per picture whose answers are compared: those that the network is surest of."""


def mean_error(
    config: DetectorConfig,
    pictures: Iterable[NDArray[np.float32]],
    wanted: Iterable[Answers],
    given: Iterable[Answers],
) -> float:
    """Return how far the strongest of the answers GIVEN are from those WANTED for PICTURES.

    The mean difference of their scores plus the mean of what their boxes lack of full overlap, over
    as many of PICTURES, (1,3,H,W) each, as have answers.
    """
    pairs = zip(pictures, wanted, given, strict=False)
    return float(np.mean([_error(config, *pair) for pair in pairs]))


def _error(
    config: DetectorConfig, picture: NDArray[np.float32], wanted: Answers, given: Answers
) -> float:
    surest = np.argsort(-wanted["scores"][0, :, 1])[:STRONGEST]
    near = priors(config, *picture.shape[-2:])[surest]
    first, second = (
        decode(torch.from_numpy(answer["boxes"][0, surest]), near, config.variances)
        for answer in (wanted, given)
    )
    scores = wanted["scores"][0, surest, 1] - given["scores"][0, surest, 1]
    return float(np.abs(scores).mean() + 1 - overlaps(first, second).mean().item())


def overlaps(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the IoU (N,) of boxes FIRST and SECOND (N,4; corners), pair by pair."""
    corner = torch.maximum(first[:, :2], second[:, :2])
    sides = (torch.minimum(first[:, 2:], second[:, 2:]) - corner).clamp(min=0)
    shared = sides.prod(-1)
    areas = sum((boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (first, second))
    return shared / (areas - shared)
