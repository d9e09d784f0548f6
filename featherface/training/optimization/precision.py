"""Mixed precision of a training's student and teachers.

One place for all of them: the student, its teachers, its own average and what is trained beside
it see a batch in the same mixed precision, answer in full precision, and what they answer is
compared in full precision. Evaluation asks the network itself, and so never runs in half of it.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from featherface.devices.dtypes import widened
from featherface.devices.precision import FULL, rounds

if TYPE_CHECKING:
    from featherface.networks.detector import RawOutput

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""Those that `train.amp` mixes with full precision."""


@dataclass(frozen=True)
class Precision:
    """Device and mixed precision of a training's networks."""

    device: torch.device
    amp: str
    """As `train.amp` says: no, bf16 or fp16."""

    def computing(self) -> contextlib.AbstractContextManager[object]:
        """Return a context in which a network computes as this says."""
        if self.amp == "no":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, TYPES[self.amp])

    @property
    def name(self) -> str:
        """What tells apart answers that differ by more than chance, such as `cuda-bf16`."""
        kind = self.device.type
        if self.amp != "no":
            return f"{kind}-{self.amp}"
        return f"{kind}-{'tf32' if rounds(self.device) else FULL}"


def full(output: RawOutput) -> RawOutput:
    """Return OUTPUT in full precision."""
    return type(output)(*(widened(part) for part in output))
