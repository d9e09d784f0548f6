"""A network whose passes take as long as a test says."""

from __future__ import annotations

import itertools

import torch
from torch import nn


class TimedNetwork(nn.Module):
    """Takes the SECONDS told in turn, over and over, on a `ToldMachine`; its NAME joins CALLS."""

    def __init__(self, machine, *seconds, calls=None, name=""):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.machine, self.name = machine, name
        self.seconds = itertools.cycle(seconds)
        self.calls = [] if calls is None else calls

    def forward(self, images):
        self.calls.append(self.name)
        self.machine.now += next(self.seconds)
        return images
