"""Probes of a measurement of speed: what is timed, and what is made of the times. No clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from featherface.probes.numbers import summary
from featherface.profiling.config import BenchmarkConfig
from featherface.profiling.memory import all_megabytes
from featherface.profiling.timing import latency, statistics_of

if TYPE_CHECKING:
    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings

FIXED_TIMES = (12.0, 10.0, 11.0, 19.0, 10.5, 13.0, 14.0, 50.0, 10.2, 12.5, 11.5)
"""Milliseconds that nobody measured."""
CONFIG = BenchmarkConfig(image_size=64, batch_size=2, runs=3, warmup=2, device="cpu")


class _CallRecorder(nn.Module):
    """A stub of a network that records its modes and inputs at every call."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, 1, 1))
        self.calls: list[float] = []

    def forward(self, images: Tensor) -> Tensor:
        switches = (self.training, torch.is_grad_enabled(), torch.is_inference_mode_enabled())
        self.calls += [float(images.numel()), *map(float, switches), *summary(images)[1:]]
        return ((images * self.weight) + 1).sum()


def timing(settings: ProbeSettings) -> Values:
    """Return how a network is called while it is timed, and the statistics of FIXED_TIMES."""
    del settings
    network = _CallRecorder()
    timed = latency(network, CONFIG)
    median, high = statistics_of(FIXED_TIMES)
    return [median, high, float(len(timed.runs)), *network.calls]


def memory(settings: ProbeSettings) -> Values:
    """Return the megabytes that are counted for a network, an input and 1,000 bytes alive.

    How living tensors are followed is left out: what PyTorch loads for it takes seconds.
    """
    del settings
    return [all_megabytes(1000, _CallRecorder(), torch.zeros(2, 3, 8, 8))]
