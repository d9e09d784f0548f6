"""Effective receptive fields: where the gradient of a prediction lies in the picture.

After Luo et al., 2016, https://arxiv.org/abs/1701.04128. Differs from the paper: the field is the
side of the smallest centred square that holds 95 % of the gradient, which needs no threshold on
single pixels and can be compared with the theoretical field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from featherface.model_summary.anchors import FINEST

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.networks.detector import Detector

HELD = 0.95
"""Share of the gradient inside the field."""
PICTURES = 4
"""Random pictures that are averaged over."""


@dataclass(frozen=True, kw_only=True)
class EffectiveField:
    """The measured field of one level."""

    level: int
    side: int
    """Pixels of the square's side."""
    spread: tuple[int, int]
    """Smallest and largest side among the pictures."""


def effective_fields(model: Detector, size: int = 640) -> list[EffectiveField]:
    """Measure the fields of the class scores in the middle of each level's map.

    SIZE is the side of the square random pictures, in pixels. Weights decide: an untrained
    network looks elsewhere than a trained one.
    """
    model = model.eval()
    generator = torch.Generator().manual_seed(0)
    pictures = [60 * torch.randn(1, 3, size, size, generator=generator) for _ in range(PICTURES)]
    spans = []
    for level, step in enumerate(model.config.prior_steps):
        sides = [_side(_gradient(model, picture, level), step) for picture in pictures]
        mean = round(sum(sides) / len(sides))
        spans.append(
            EffectiveField(level=FINEST + level, side=mean, spread=(min(sides), max(sides)))
        )
    return spans


def _gradient(model: Detector, picture: Tensor, level: int) -> Tensor:
    """Return (H,W): how strongly each pixel moves the scores at the level's middle."""
    picture = picture.clone().requires_grad_()
    logits = model(picture).logits[0]
    height, width = picture.shape[-2:]
    counts = [
        (height // step) * (width // step) * model.config.anchors
        for step in model.config.prior_steps
    ]
    step, anchors = model.config.prior_steps[level], model.config.anchors
    rows, columns = height // step, width // step
    middle = sum(counts[:level]) + (rows // 2 * columns + columns // 2) * anchors
    margin = logits[middle : middle + anchors, 1] - logits[middle : middle + anchors, 0]
    (gradient,) = torch.autograd.grad(margin.sum(), picture)
    return gradient[0].abs().sum(0)


def _side(gradient: Tensor, step: int) -> int:
    """Return the side of the smallest square around the middle that holds HELD of GRADIENT."""
    height, width = gradient.shape
    y, x = ((side // step // 2 + 0.5) * step - 0.5 for side in (height, width))
    down = (torch.arange(height) - y).abs()[:, None]
    across = (torch.arange(width) - x).abs()[None]
    distance = torch.maximum(down, across).flatten()
    order = distance.argsort()
    held = gradient.flatten()[order].double().cumsum(0)
    place = int((held < HELD * held[-1]).sum())
    return round(2 * float(distance[order[min(place, len(order) - 1)]]) + 1)
