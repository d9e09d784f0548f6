"""MobileNetV1 (Howard et al., 2017), https://arxiv.org/abs/1704.04861, at width 0.25.

Differs from the paper: the last stage has 256 channels at stride 32, and FeatherFace leaks 0.1
where the paper (and the published RetinaFace) has a ReLU.
"""

from __future__ import annotations

import functools

from torch import Tensor, nn

from featherface.networks.layers.convolution import active_convolution, separable_convolution


class MobileNet(nn.Module):
    """Picture (B,3,H,W) to maps of 64, 128, 256 channels at strides 8, 16, 32."""

    widths = (64, 128, 256)

    def __init__(self, leak: float = 0.1) -> None:
        super().__init__()
        separable = functools.partial(separable_convolution, leak=leak)
        self.stage1 = nn.Sequential(
            active_convolution(3, 8, leak=leak, stride=2),
            separable(8, 16),
            separable(16, 32, stride=2),
            separable(32, 32),
            separable(32, 64, stride=2),
            separable(64, 64),
        )
        self.stage2 = nn.Sequential(
            separable(64, 128, stride=2), *(separable(128, 128) for _ in range(5))
        )
        self.stage3 = nn.Sequential(separable(128, 256, stride=2), separable(256, 256))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the three maps, finest first."""
        third = self.stage1(images)  # (B,64,H/8,W/8)
        fourth = self.stage2(third)  # (B,128,H/16,W/16)
        return [third, fourth, self.stage3(fourth)]
