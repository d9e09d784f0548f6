"""The optimizers, and which parameters decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import nn
    from torch.optim import Optimizer

    from featherface.training.config.train import TrainConfig


def make_optimizer(
    model: nn.Module, config: TrainConfig, beside: Iterable[nn.Parameter] = ()
) -> Optimizer:
    """Return the configured optimizer of MODEL, and of the parameters BESIDE it."""
    kind = OPTIMIZERS[config.optimizer]
    return kind.make(parameter_groups(model, config, beside), **kind.arguments(config))


def parameter_groups(
    model: nn.Module, config: TrainConfig, beside: Iterable[nn.Parameter] = ()
) -> list[dict[str, Any]]:
    """Return which parameters of MODEL decay, and how much; biases and norms don't.

    Nor do those BESIDE it.
    """
    decaying = [value for value in model.parameters() if value.requires_grad and value.ndim > 1]
    others = [value for value in model.parameters() if value.requires_grad and value.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decaying, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if added := list(beside):
        groups.append({"params": added, "weight_decay": 0.0})
    return groups


class OptimizerKind(NamedTuple):
    """One of PyTorch's optimizers and what it is made with, beside the parameters."""

    make: type[Optimizer]
    arguments: Callable[[TrainConfig], dict[str, Any]]


OPTIMIZERS: dict[str, OptimizerKind] = {
    "adamw": OptimizerKind(torch.optim.AdamW, lambda config: {"lr": config.lr, "fused": True}),
    "sgd": OptimizerKind(
        torch.optim.SGD,
        lambda config: {
            "lr": config.lr,
            "momentum": config.momentum,
            "nesterov": config.momentum > 0,
        },
    ),
}
