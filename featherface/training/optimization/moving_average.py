"""The exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


class MovingAverage:
    """A copy of MODEL whose weights follow the trained ones slowly.

    All tensors move in two calls, for which both networks' are listed once: MODEL has to lie on
    its device and in its order when it is given, and keeps its tensors from then on.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self.decay = decay
        own, followed = self.model.state_dict(keep_vars=True), model.state_dict(keep_vars=True)
        self._smooth = [name for name, value in own.items() if value.is_floating_point()]
        counts = [name for name in own if name not in set(self._smooth)]
        self._means, self._values = ([of[n] for n in self._smooth] for of in (own, followed))
        self._counts, self._counted = ([of[n] for n in counts] for of in (own, followed))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the model after optimizer STEP; faster at first, when it changes most."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._means, self._values, 1 - decay)
        if self._counts:
            torch._foreach_copy_(self._counts, self._counted)

    def state_dict(self) -> dict[str, Tensor]:
        """Return the averaged weights."""
        return self.model.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Take up averaged weights."""
        self.model.load_state_dict(state)
