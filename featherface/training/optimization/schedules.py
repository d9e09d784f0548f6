"""The learning rate as a pure function of the step: nothing to save, nothing to restore."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from featherface.training.config.train import TrainConfig

START, END = 1 / 25, 1 / 250_000
"""First and last share of the highest rate in OneCycle (Smith and Topin, 2017, 1708.07120)."""


def learning_rate(config: TrainConfig, step: int, total: int) -> float:
    """Return the rate of STEP (from 0) of TOTAL optimizer steps."""
    return config.lr * SCHEDULES[config.schedule](config, step, max(total, 1))


def _onecycle(config: TrainConfig, step: int, total: int) -> float:
    """Rise along a cosine over the warm-up, then fall to almost nothing along another."""
    rising = config.warmup * total
    if step < rising:
        return _cosine(START, 1.0, step / rising)
    return _cosine(1.0, END, (step - rising) / max(1.0, total - 1 - rising))


def _cosine_decay(config: TrainConfig, step: int, total: int) -> float:
    rising = config.warmup * total
    if step < rising:
        return (step + 1) / (rising + 1)
    return _cosine(1.0, 0.0, (step - rising) / max(1.0, total - rising))


def _steps(config: TrainConfig, step: int, total: int) -> float:
    rising = config.warmup * total
    if step < rising:
        return (step + 1) / (rising + 1)
    passed = sum(step >= share * total for share in config.steps_at)
    return float(0.1**passed)


def _constant(config: TrainConfig, step: int, total: int) -> float:
    rising = config.warmup * total
    return (step + 1) / (rising + 1) if step < rising else 1.0


def _cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * min(1.0, share))) / 2


SCHEDULES: dict[str, Callable[[TrainConfig, int, int], float]] = {
    "onecycle": _onecycle,
    "cosine": _cosine_decay,
    "steps": _steps,
    "constant": _constant,
}
