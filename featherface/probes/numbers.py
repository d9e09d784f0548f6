"""Fixed inputs and weights, the same on every processor, and short summaries of arrays."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    Values = list[float]

SAMPLES = 6
"""Entries of an array that `summary` gives as they are."""
GAIN = 4.5
"""Three times a weight's variance times its fan-in: signals neither fade nor grow."""
HEIGHT, WIDTH = 64, 96
"""Pixels of the picture that networks are shown."""


def noise(name: str, *shape: int) -> NDArray[np.float64]:
    """Return an array of SHAPE, uniform in [-1, 1), the same for the same NAME for ever.

    Made from the generator's raw bits, which NumPy promises never to change.
    """
    count = int(np.prod(shape))
    bits = np.random.PCG64(zlib.crc32(name.encode())).random_raw(count) >> np.uint64(11)
    drawn: NDArray[np.float64] = bits.astype(np.float64) * 2.0**-52 - 1.0
    return drawn.reshape(shape)


def noise_tensor(name: str, *shape: int) -> Tensor:
    """Return `noise` as a float64 tensor."""
    return torch.from_numpy(noise(name, *shape))


def noise_pictures(batch: int = 1, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    """Return pictures (B, 3, H, W) in float64, about -120 to 130, with large and small parts."""
    coarse = noise("coarse", batch, 3, height // 8, width // 8).repeat(8, 2).repeat(8, 3)
    fine = noise("fine", batch, 3, height, width)
    return torch.from_numpy(5.0 + 90.0 * coarse + 35.0 * fine)


def summary(values: Tensor | NDArray[np.generic] | Sequence[float]) -> Values:
    """Return a sum in which each of VALUES has a weight of its own, and SAMPLES of them.

    What is no number counts as -1: unknown landmarks are a result too.
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    flat = np.nan_to_num(np.asarray(values, dtype=np.float64).ravel(), nan=-1.0)
    if not len(flat):
        return [0.0]
    chosen = flat[np.linspace(0, len(flat) - 1, min(SAMPLES, len(flat))).astype(int)]
    weights = 1.0 + 0.5 * noise("weights", len(flat))
    return [float(len(flat)), float(weights @ flat) / len(flat), *chosen.tolist()]


def summaries(values: Mapping[str, Tensor] | Sequence[Tensor]) -> Values:
    """Return the `summary` of each of VALUES, in their order."""
    arrays = values.values() if hasattr(values, "values") else values
    return [number for array in arrays for number in summary(array)]


@torch.no_grad()
def fill_weights(model: nn.Module) -> None:
    """Give every parameter and running statistic of MODEL a value that follows from its name.

    Weights have the size that keeps signals alive through many layers, and from growing in sums.
    """
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.copy_(_weight_values(name, value))


def _weight_values(name: str, value: Tensor) -> Tensor:
    drawn = noise_tensor(name, *value.shape)
    if value.ndim > 1:
        size = math.sqrt(GAIN / value[0].numel())
        return drawn * size
    if name.endswith("running_var") or (name.endswith("weight") and value.ndim == 1):
        return 1.0 + 0.25 * drawn
    return 0.1 * drawn
