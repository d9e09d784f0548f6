"""Pictures and faces from a seed, the same on every device."""

from __future__ import annotations

import torch

from featherface.losses.assignment import Targets


def pictures(count: int, side: int, seed: int = 0) -> torch.Tensor:
    """(B, 3, S, S) with structure of several scales, minus a mean."""
    random = torch.Generator().manual_seed(seed)
    found = torch.zeros(count, 3, side, side)
    for cell in (1, 4, 16, 32):
        noise = torch.randn(count, 3, side // cell, side // cell, generator=random)
        found += torch.nn.functional.interpolate(noise, size=(side, side))
    return 30 * found


def faces(count: int, each: int, seed: int = 0) -> Targets:
    """EACH faces in COUNT pictures, the last of every picture padding."""
    random = torch.Generator().manual_seed(seed)
    sides = 0.02 + 0.4 * torch.rand(count, each, 1, generator=random) ** 2
    corners = (1 - sides) * torch.rand(count, each, 2, generator=random)
    points = corners.repeat(1, 1, 5) + sides * torch.rand(count, each, 10, generator=random)
    there = torch.ones(count, each, dtype=torch.bool)
    there[:, -1] = False
    marked = there & (torch.rand(count, each, generator=random) < 0.7)
    return Targets(torch.cat((corners, corners + sides), -1), points, there, marked)
