"""Adaptive anchors and cascade refinement: SmartHead's second answer to its own boxes.

Both say what they find against the variant's own priors, so training, evaluation, distillation
and exported files need to know neither (docs/decisions/007-v2-plus.md).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from featherface.networks.heads.linear import LEVELS, nearly_silent
from featherface.networks.heads.towers import LevelNormed

SIDES = 2
"""Width and height."""


class AdaptivePriors(nn.Module):
    """Priors whose width and height are learnt, for each level and size.

    After MetaAnchor (Yang et al., 2018), https://arxiv.org/abs/1807.00980, and guided anchoring
    (Wang et al., 2019), https://arxiv.org/abs/1901.03278. Differs from both: the shapes belong to
    the network and not to the picture, and what is matched to faces is the variant's prior.

    A prior e^s times as wide moves a box e^s times as far for the same delta and is s wider from
    the start: the deltas against the unlearnt prior are delta e^s and delta + s / variance.
    """

    def __init__(self, anchors: int, variances: tuple[float, float]) -> None:
        super().__init__()
        self.variance = variances[1]
        self.logs = nn.Parameter(torch.zeros(LEVELS, anchors, SIDES))

    def forward(self, boxes: Tensor, landmarks: Tensor, level: int) -> tuple[Tensor, Tensor]:
        """Turn deltas of the learnt priors of LEVEL into deltas of the variant's own.

        BOXES are (B,A*4,H,W), LANDMARKS (B,A*10,H,W).
        """
        log = self.logs[level]  # (A,2)
        growth = torch.exp(log)
        factor = torch.cat((growth, torch.ones_like(growth)), 1).reshape(1, -1, 1, 1)
        shift = torch.cat((torch.zeros_like(log), log / self.variance), 1).reshape(1, -1, 1, 1)
        points = growth.repeat(1, 5).reshape(1, -1, 1, 1)  # x before y, five times
        return boxes * factor + shift, landmarks * points


class BoxRefinement(nn.Module):
    """A second stage that takes the first one's boxes for its priors.

    Cascade R-CNN (Cai and Vasconcelos, 2018), https://arxiv.org/abs/1712.00726. Differs from the
    paper: the second stage sees the features and the first stage's deltas at each position,
    convolved, in place of features resampled inside each box; and both stages share one loss.
    """

    def __init__(
        self, channels: int, anchors: int, leak: float, variances: tuple[float, float]
    ) -> None:
        super().__init__()
        self.variance = variances[1]
        hidden = channels // 2
        look = nn.Conv2d(channels + 4 * anchors, hidden, 1, bias=False)
        self.look = LevelNormed(look, hidden, leak)
        self.move = nn.Conv2d(hidden, 4 * anchors, 3, padding=1)
        nearly_silent(self.move)

    def forward(self, features: list[Tensor], boxes: list[Tensor]) -> list[Tensor]:
        """Return the second stage's deltas (B,A*4,H,W) of the boxes that BOXES (same) make."""
        joined = [
            torch.cat((feature_map, box.detach()), 1)
            for feature_map, box in zip(features, boxes, strict=True)
        ]
        return [self.move(feature_map) for feature_map in self.look(joined)]

    def compose(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the deltas (B,N,4) of the priors that do what FIRST and then SECOND does.

        The first stage's box is given: its size, by which the second moves, gets no gradient.
        """
        size = torch.exp(self.variance * first[..., 2:].detach())
        centre = first[..., :2] + second[..., :2] * size
        return torch.cat((centre, first[..., 2:] + second[..., 2:]), -1)
