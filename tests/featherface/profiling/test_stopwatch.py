"""What takes the time: the events of a card, or the host's clock where the host works too."""

import pytest
import torch
from stand_ins.machines import ToldMachine

from featherface.profiling import machine as machine_module
from featherface.profiling import stopwatch

CARD = torch.device("cuda:1")


@pytest.fixture
def card(monkeypatch):
    """A card whose stream takes 5 ms for work that keeps the host for 1 ms; what is asked of it."""
    machine, asked, stream = ToldMachine(), [], {"now": 0.0}
    monkeypatch.setattr(machine_module, "THIS", machine)

    class Event:
        def __init__(self, *, enable_timing):
            assert enable_timing

        def record(self, of):
            asked.append(f"record on {of}")
            self.at = stream["now"]

        def elapsed_time(self, later):
            return later.at - self.at

    def work():
        asked.append("work")
        machine.now += 0.001
        stream["now"] += 5.0

    def synchronise(device):
        asked.append(f"wait for {device}")
        machine.now = max(machine.now, stream["now"] / 1000)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: f"stream of {device}")
    monkeypatch.setattr(torch.cuda, "synchronize", synchronise)
    return work, asked


def test_a_card_stamps_its_own_time_on_its_own_stream(card):
    work, asked = card
    assert stopwatch.milliseconds(work, CARD) == 5.0
    assert asked == [
        "wait for cuda:1",
        "record on stream of cuda:1",
        "work",
        "record on stream of cuda:1",
        "wait for cuda:1",
    ]
    assert stopwatch.source(CARD) == "cuda-events"


def test_where_the_host_works_too_the_clock_takes_all_of_it(card):
    work, asked = card
    assert stopwatch.milliseconds(work, CARD, host_works=True) == pytest.approx(5.0)
    assert asked == ["wait for cuda:1", "work", "wait for cuda:1"]
    assert stopwatch.source(CARD, host_works=True) == stopwatch.source(torch.device("cpu"))
