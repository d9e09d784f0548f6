"""Feature reuse of V2 Ultra: the thesis's innovations that add almost no parameters.

Feature recycling, multi-scale fusion and progressive enhancement have no parameters; contextual
sharing has one gate of 2C + 1 for each level. The fourth, attention multiplication, is the
`passes` of `featherface.networks.attention.cbam.SharedCBAM`.

Differs from the thesis's sketches, which leave widths open and would not all train or export:
each class says how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featherface.networks.layers.convolution import PerLevel
from featherface.networks.layers.enlarging import enlarge
from featherface.networks.layers.shuffle import shuffle_channels
from featherface.networks.necks.bifpn import halve

if TYPE_CHECKING:
    from collections.abc import Sequence

NEXT = 0.3
"""Weight of the one neighbour of the finest and of the coarsest map."""
BETWEEN = 0.2
"""Weight of each of the two neighbours of the middle map."""
STEP = 0.1
"""Length of one enhancement: the most that a pass adds to a value."""
MOST_GROUPS = 8
"""Groups of the enhancement's shuffle, where they divide the channels."""
MOSTLY_OPEN = 2.0
"""What a contextual gate starts from: sigmoid(2) = 0.88 of the context is used."""


class FeatureRecycling(nn.Module):
    """Backbone P3 and the neck's P4 once more, for small faces.

    Differs from the sketch: the sum is added to the neck's P3, which the sketch would throw
    away, and the backbone's P3 is taken behind its lateral, where its width is the neck's.
    """

    def forward(self, maps: list[Tensor], entering: list[Tensor]) -> list[Tensor]:
        """Return MAPS, which left the neck, with P3 enriched by ENTERING, which went in."""
        third, fourth, fifth = maps
        return [third + entering[0] + enlarge(fourth, third), fourth, fifth]


class ScaleFusion(nn.Module):
    """Each map with a fixed share of its neighbours.

    Differs from the sketch: maps shrink by max pooling, as in the neck; nearest interpolation
    would look at one position of four.
    """

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return three maps of the same shapes."""
        third, fourth, fifth = maps
        return [
            third + NEXT * enlarge(fourth, third),
            fourth + BETWEEN * (halve(third) + enlarge(fifth, fourth)),
            fifth + NEXT * halve(fourth),
        ]


class ProgressiveEnhancement(nn.Module):
    """PASSES times x + 0.1 tanh(x) and a channel shuffle.

    Differs from the sketch: the shuffle has the largest number of groups up to eight that
    divides the channels (seven of 28). And since what is done to each value alone does not mind
    the order of channels, the shuffles are put together and done once, at the end.
    """

    order: Tensor

    def __init__(self, channels: int, passes: int) -> None:
        super().__init__()
        self.passes = passes
        groups = max(groups for groups in range(1, MOST_GROUPS + 1) if channels % groups == 0)
        order = torch.arange(channels).reshape(1, -1, 1, 1)
        for _ in range(passes):
            order = shuffle_channels(order, groups)
        self.register_buffer("order", order.reshape(-1), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the enhanced features, same shape (B,C,H,W)."""
        for _ in range(self.passes):
            features = features + STEP * torch.tanh(features)
        return features.index_select(1, self.order)


class ContextGate(nn.Module):
    """How much context a picture needs, told from each channel's mean and maximum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.score = nn.Linear(2 * channels, 1)
        nn.init.constant_(self.score.bias, MOSTLY_OPEN)

    def forward(self, features: Tensor) -> Tensor:
        """Return a share (B,1,1,1) in 0..1 for FEATURES (B,C,H,W)."""
        described = torch.cat((features.mean((2, 3)), features.amax((2, 3))), 1)  # (B,2C)
        return torch.sigmoid(self.score(described))[:, :, None, None]


class ContextualSharing(nn.Module):
    """The context modules, used as much as the picture needs: x + gate(x) (context(x) - x).

    Differs from the sketch: the gate is smooth in place of a threshold, so that it learns and
    exports; it reads the scene's complexity off the features in place of being told it; and it
    blends with the input in place of scaling the output.
    """

    def __init__(self, base: nn.Module, widths: Sequence[int]) -> None:
        super().__init__()
        self.base = base
        self.gates = PerLevel(ContextGate(width) for width in widths)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return maps of the same shapes (B,C,H,W)."""
        treated, shares = self.base(maps), self.gates(maps)
        return [
            feature_map + share * (new - feature_map)
            for feature_map, new, share in zip(maps, treated, shares, strict=True)
        ]
