"""Feature pyramid (Lin et al., 2017), https://arxiv.org/abs/1612.03144, as in RetinaFace.

Differs from the paper: laterals and merges are normalised and active, and the coarsest map is
not smoothed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from featherface.networks.layers.convolution import active_convolution
from featherface.networks.layers.enlarging import enlarge

if TYPE_CHECKING:
    from collections.abc import Sequence


class FPN(nn.Module):
    """Three maps of different widths to three of CHANNELS channels, top down."""

    def __init__(self, widths: Sequence[int], channels: int, leak: float) -> None:
        super().__init__()
        self.lateral3, self.lateral4, self.lateral5 = (
            active_convolution(width, channels, 1, leak=leak) for width in widths
        )
        self.merge3 = active_convolution(channels, channels, leak=leak)
        self.merge4 = active_convolution(channels, channels, leak=leak)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Return the three mixed maps, finest first."""
        third, fourth, fifth = maps
        fifth = self.lateral5(fifth)
        fourth = self.lateral4(fourth)
        fourth = self.merge4(fourth + enlarge(fifth, fourth))
        third = self.lateral3(third)
        third = self.merge3(third + enlarge(fourth, third))
        return [third, fourth, fifth]
