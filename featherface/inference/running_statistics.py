"""What weights say of the settings that they were trained with: their running statistics.

A batch normalisation keeps mean and variance of what it was given in training. Under the settings
of that training pictures give much the same again, under another activation slope or another
scale of pixels they don't, though the network may still find most faces. Pixel means and the order
of channels change them too little to be told.

Measured on six published files (docs/evaluation.md).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import torch
from torch import nn

from featherface.errors import DataError
from featherface.evaluation.config import EvaluateConfig
from featherface.inference.network_input import network_input, stacked
from featherface.inference.picture_limits import read_within
from featherface.inference.tta import View
from featherface.networks.detector import build

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig

    Pictures = Sequence[NDArray[np.uint8]]

ENOUGH = 6
"""Pictures that are looked at."""
SIDE = 448
"""Pixels of their longer side, at most."""
LEAKS = (0.0, 0.01, 0.1)
SCALES = (1.0, 1 / 128, 1 / 255)
"""Activation slopes and scales of pixels that published detectors have."""
MISFIT = 0.1
"""Distance below which statistics fit as well as those of published networks do."""
TIMES = 2.0
"""How many times closer other settings must be before they are named."""
DEAD = 1e-6
"""Variance of a channel that is always the same and tells nothing."""


def better_settings(model: Detector, config: DetectorConfig, paths: Sequence[Path]) -> str:
    """Say which settings fit MODEL's running statistics better than CONFIG; "" where none do.

    Some of the pictures PATHS are looked at, spread over all of them; fewer than ENOUGH readable
    ones tell nothing.
    """
    step = max(1, len(paths) // ENOUGH)
    spread = [path for start in range(min(step, 2)) for path in paths[start::step]]
    images = list(_readable(spread))
    if len(images) < ENOUGH:
        return ""
    here = distance(model, config, images)
    if here <= MISFIT:
        return ""
    fits = {other: distance(_with(other, model), other, images) for other in _alternatives(config)}
    best = min(fits, key=fits.__getitem__)
    if here < TIMES * fits[best]:
        return ""
    changed = [key for key in ("leak", "pixel_scale") if getattr(best, key) != getattr(config, key)]
    wanted = " and ".join(
        f"model.{key} {_plain(best, key)} better than {_plain(config, key)}" for key in changed
    )
    options = " ".join(f"--set model.{key}={_plain(best, key)}" for key in changed)
    return (
        f"the running statistics of these weights fit {wanted} (distance {fits[best]:.2f} against"
        f" {here:.2f} on {len(images)} pictures): they were probably trained so; {options}"
    )


def distance(model: Detector, config: DetectorConfig, images: Pictures) -> float:
    """Return how far what the batch normalisations of MODEL are given lies from what they expect.

    The median over layers of the median over channels of the Kullback-Leibler divergence between
    two normal distributions, of mean and variance seen in IMAGES (H, W, 3; blue-green-red) and as
    recorded: 0 where they are the same.
    """
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    seen = {part: _Moments() for part in norms}
    hooks = [
        part.register_forward_pre_hook(lambda part, given: seen[part].add(given[0]))
        for part in norms
    ]
    training = model.training
    try:
        with torch.no_grad():
            for pictures in _small(images, config, next(model.parameters()).device):
                model.eval()(pictures)
    finally:
        for hook in hooks:
            hook.remove()
        model.train(training)
    apart = [_divergence(part, moments) for part, moments in seen.items() if moments.count]
    known = [value for value in apart if value is not None]
    return float(torch.stack(known).median()) if known else 0.0


def _plain(config: DetectorConfig, key: str) -> str:
    return f"{getattr(config, key):.7g}"


class _Moments:
    """Sums from which mean and variance of each channel follow."""

    def __init__(self) -> None:
        self.count = 0
        self.total: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0

    def add(self, given: Tensor) -> None:
        """Add a batch (B, C, H, W)."""
        values = given.detach().float().cpu().double()  # not every device has double
        self.count += values[:, 0].numel()
        self.total = self.total + values.sum((0, 2, 3))
        self.squares = self.squares + values.square().sum((0, 2, 3))


def _divergence(norm: nn.BatchNorm2d, moments: _Moments) -> Tensor | None:
    """Return the median over channels; None where NORM has no statistics or all are dead."""
    if norm.running_mean is None or norm.running_var is None:
        return None
    mean, variance = (value.double().cpu() for value in (norm.running_mean, norm.running_var))
    seen = torch.as_tensor(moments.total) / moments.count
    spread = (torch.as_tensor(moments.squares) / moments.count - seen.square()).clamp_min(1e-12)
    alive = variance > DEAD
    ratio = (spread / variance)[alive]
    shift = ((seen - mean).square() / variance)[alive]
    return ((ratio - 1 - ratio.log() + shift) / 2).median() if len(ratio) else None


def _small(images: Pictures, config: DetectorConfig, device: torch.device) -> Iterator[Tensor]:
    for image in images:
        height, width = image.shape[:2]
        view = View(width, height, min(1.0, SIDE / max(height, width)))
        yield network_input(view.sampled(stacked([image]).to(device)), config)


def _alternatives(config: DetectorConfig) -> list[DetectorConfig]:
    """Return CONFIG with each usual pair of slope and scale, but its own."""
    others = [
        replace(config, leak=leak, pixel_scale=scale) for leak, scale in product(LEAKS, SCALES)
    ]
    return [other for other in others if other != config]


def _with(config: DetectorConfig, model: Detector) -> Detector:
    """Return a network of CONFIG with MODEL's tensors."""
    other = build(config, seed=0).to(next(model.parameters()).device)
    other.load_state_dict(model.state_dict())
    return other


def _readable(paths: Iterable[Path]) -> Iterator[NDArray[np.uint8]]:
    """Yield the first ENOUGH pictures that can be read and are not too large."""
    left = ENOUGH
    for path in paths:
        try:
            image = read_within(path, EvaluateConfig())
        except DataError:  # told where it is looked at for its faces
            continue
        yield image
        left -= 1
        if not left:
            return
