"""Seeds for the random numbers of a training step, such as those of DropBlock.

Those of a step follow from its place in the training and from the process alone, on every device:
a training that goes on draws what an undisturbed one would have, whatever was drawn in between.
"""

from __future__ import annotations

import numpy as np
import torch

NETWORK = 3
"""Stream of random numbers beside those of `featherface.training.loading.batches`."""


def seed_step(seed: int, epoch: int, batch: int, rank: int) -> None:
    """Seed PyTorch for BATCH of EPOCH (both from 0) in process RANK.

    Seeds PyTorch's generators of all devices; no device has to wait for it.
    """
    numbers = np.random.SeedSequence([seed, NETWORK, epoch, batch, rank])
    torch.manual_seed(int(numbers.generate_state(1, np.uint64)[0]))
