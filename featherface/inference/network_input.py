"""Pictures as a network takes them in: from bytes of three colours to numbers less the mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from featherface.devices.uploads import uploaded
from featherface.networks.pixels import ordered_and_scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from featherface.variants.config import DetectorConfig


def stacked(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Stack IMAGES (H, W, 3) to (B, H, W, 3); one alone is not copied."""
    return torch.from_numpy(images[0][None] if len(images) == 1 else np.stack(images))


def network_input(pictures: Tensor, config: DetectorConfig) -> Tensor:
    """Return PICTURES (B, H, W, 3) as (B, 3, H, W) less the mean, in the network's order, scale.

    Bytes become float32 on the way. On the processor NumPy does so in one go, in a thirtieth of
    PyTorch's time, which reads bytes of another layout one by one.
    """
    mean = torch.tensor(config.pixel_mean)[:, None, None]
    planes = pictures.permute(0, 3, 1, 2)
    if planes.device.type == "cpu":
        centred = torch.empty(planes.shape)
        np.subtract(planes.numpy(), mean.numpy(), out=centred.numpy())
    else:
        centred = (planes.float() - uploaded(mean, planes.device)).contiguous()
    return ordered_and_scaled(centred, config)
