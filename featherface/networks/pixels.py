"""What a network takes in: a picture's channels in its order, less its mean, in its scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.variants.config import DetectorConfig

KEYS = ("pixel_mean", "channel_order", "pixel_scale")
"""Keys of a network that say what it takes in."""


def taken_in(config: DetectorConfig) -> tuple[object, ...]:
    """Return what says whether two networks take in the same numbers."""
    return tuple(getattr(config, key) for key in KEYS)


def ordered_and_scaled(centred: Tensor, config: DetectorConfig) -> Tensor:
    """Return what CONFIG's network takes in, from CENTRED (B,3,H,W).

    CENTRED is blue-green-red less the mean, and returned as it is where the network wants no more.
    """
    if config.channel_order == "rgb":
        centred = centred.flip(1)
    return centred if config.pixel_scale == 1 else centred * config.pixel_scale


def converted(images: Tensor, made_for: DetectorConfig, wanted: DetectorConfig) -> Tensor:
    """Return IMAGES (B,3,H,W), which were made for one network, as another one takes them in."""
    if taken_in(made_for) == taken_in(wanted):
        return images
    centred = images if made_for.pixel_scale == 1 else images / made_for.pixel_scale
    if made_for.channel_order == "rgb":
        centred = centred.flip(1)
    # The same operations in the same precision, so that whole numbers come out exactly.
    means = torch.tensor((made_for.pixel_mean, wanted.pixel_mean), dtype=images.dtype)
    before, after = means.to(images.device).view(2, 3, 1, 1)
    return ordered_and_scaled(centred + before - after, wanted)
