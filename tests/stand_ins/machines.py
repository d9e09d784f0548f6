"""Machines that are left alone, busy or unsteady, whatever the one does that runs the tests."""

from __future__ import annotations

import itertools

from featherface.profiling.machine import MachineState, ProcessorTimes


class CalmMachine:
    """Every look at its clock is a TICK after the one before.

    OTHERS of its two cores are busy with other programs: none, where it is left alone.
    """

    cores = 2

    def __init__(self, tick=0.001, others=0.0):
        self.ticks, self.last = itertools.count(), 0
        self.tick, self.others = tick, others

    def clock(self):
        self.last = next(self.ticks)
        return self.last * self.tick

    def times(self):
        own = self.last * self.tick
        return ProcessorTimes(busy=own * (1 + self.others), own=own, cores=self.cores)

    def state(self):
        return MachineState()


class ToldMachine(CalmMachine):
    """Time passes only when work says so, in seconds."""

    def __init__(self, *, others=0.0, cores=2):
        super().__init__(others=others)
        self.now, self.cores = 0.0, cores

    def clock(self):
        return self.now

    def times(self):
        return ProcessorTimes(busy=self.now * (1 + self.others), own=self.now, cores=self.cores)

    def state(self):
        return MachineState(load_average=self.others + 1, megahertz=2000.0)
