"""The optimizers, and which parameters decay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn
    from torch.optim import Optimizer

    from featherface.training.config.train import TrainConfig


def make_optimizer(
    model: nn.Module, config: TrainConfig, beside: Iterable[nn.Parameter] = ()
) -> Optimizer:
    """Return the configured optimizer; biases and norms don't decay.

    It trains MODEL, and the parameters BESIDE it, without decay.
    """
    decaying = [value for value in model.parameters() if value.requires_grad and value.ndim > 1]
    others = [value for value in model.parameters() if value.requires_grad and value.ndim <= 1]
    groups: list[dict[str, object]] = [
        {"params": decaying, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if added := list(beside):
        groups.append({"params": added, "weight_decay": 0.0})
    return OPTIMIZERS[config.optimizer](groups, config)


OPTIMIZERS: dict[str, Callable[[Iterable[dict[str, object]], TrainConfig], Optimizer]] = {
    "adamw": lambda groups, config: torch.optim.AdamW(groups, lr=config.lr, fused=True),
    "sgd": lambda groups, config: torch.optim.SGD(
        groups, lr=config.lr, momentum=config.momentum, nesterov=config.momentum > 0
    ),
}
