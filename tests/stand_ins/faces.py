"""Faces from a seed, as a batch of training pictures holds them."""

import torch

from featherface.training.loading.batches import empty_targets


def made_up(seed, pictures=3, most=5):
    """Targets with zero to MOST faces of all sizes, some without landmarks."""
    rng = torch.Generator().manual_seed(seed)
    made = empty_targets(pictures, most)
    for row in range(pictures):
        count = int(torch.randint(0, most + 1, (1,), generator=rng))
        size = 0.04 + 0.6 * torch.rand(count, 2, generator=rng)
        corner = (1 - size) * torch.rand(count, 2, generator=rng)
        made.boxes[row, :count] = torch.cat((corner, corner + size), 1)
        made.landmarks[row, :count] = torch.rand(count, 10, generator=rng)
        made.faces[row, :count] = True
        made.marked[row, :count] = torch.rand(count, generator=rng) < 0.7
    return made
