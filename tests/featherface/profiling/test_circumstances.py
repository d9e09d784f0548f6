"""Whether a machine was left alone, told by ratios on machines whose time is made up."""

import pytest
import torch
from stand_ins.machines import CalmMachine, ToldMachine
from stand_ins.timed_network import TimedNetwork

from featherface.profiling import machine as machine_module
from featherface.profiling import timing
from featherface.profiling.circumstances import LIMITS, Stretch, drift, spread
from featherface.profiling.config import BenchmarkConfig
from featherface.profiling.machine import Machine, MachineState, ProcessorTimes
from featherface.profiling.paired_ratio import paired_ratio
from featherface.profiling.timing import latencies, latency

CONFIG = BenchmarkConfig(image_size=32, runs=12, warmup=1, threads=1, device="cpu")
STEADY = (0.040, 0.041, 0.040, 0.042)


@pytest.fixture
def told(monkeypatch):
    """Put a machine in this one's place; its reference takes what is told, in turn."""

    def put(reference=(0.002,), **about):
        made = ToldMachine(**about)
        work = TimedNetwork(made, *reference)
        monkeypatch.setattr(machine_module, "THIS", made)
        monkeypatch.setattr(timing, "reference_work", lambda _device: lambda: work(None))
        return made

    return put


def signs(timed):
    return {each.sign for each in timed.circumstances.disturbances}


@pytest.mark.parametrize("pace", [1, 30])
def test_a_machine_that_is_left_alone_is_so_at_any_pace(told, pace):
    made = told(reference=(0.002 * pace,))
    timed = latency(TimedNetwork(made, *(pace * seconds for seconds in STEADY)), CONFIG)
    assert (timed.marks, signs(timed)) == ((), set())
    assert timed.median == pytest.approx(40.5 * pace)
    assert len(timed.circumstances.reference_ms) == 5


@pytest.mark.parametrize("pace", [1, 30])
def test_other_programs_on_the_same_cores_disturb(told, pace):
    made = told(others=1.5, cores=2)
    timed = latency(TimedNetwork(made, *(pace * seconds for seconds in STEADY)), CONFIG)
    assert signs(timed) == {"load"}
    assert timed.marks == ("disturbed",)
    assert timed.circumstances.load == pytest.approx(0.5)
    assert timed.circumstances.other_cores == pytest.approx(1.5)


def test_other_programs_on_other_cores_do_not_disturb(told):
    made = told(others=5.0, cores=8)
    timed = latency(TimedNetwork(made, *STEADY), CONFIG)
    assert (timed.marks, timed.circumstances.load) == ((), 0.0)


@pytest.mark.parametrize("pace", [1, 30])
def test_a_reference_that_slows_down_disturbs(told, pace):
    blocks = [0.002] * 22 + [0.003] * 14  # one call warms up
    made = told(reference=[pace * seconds for seconds in blocks])
    timed = latency(TimedNetwork(made, *(pace * seconds for seconds in STEADY)), CONFIG)
    assert signs(timed) == {"reference"}
    assert timed.circumstances.reference == pytest.approx(0.5)


@pytest.mark.parametrize("pace", [1, 30])
def test_passes_that_spread_disturb(told, pace):
    made = told()
    timed = latency(TimedNetwork(made, 0.040 * pace, 0.070 * pace), CONFIG)
    assert signs(timed) == {"spread"}


def test_few_passes_and_a_short_time_tell_of_no_spread_and_no_load():
    assert spread([1.0, 9.0, 1.0]) is None
    times = [ProcessorTimes(busy=busy, own=0.0, cores=2) for busy in (0.0, 0.2)]
    assert Stretch(seconds=0.1, before=times[0], after=times[1]).crowding(1) is None
    assert Stretch(seconds=1.0, before=None, after=times[1]).crowding(1) is None
    assert drift([0.0, 1.0]) == 0.0


def test_what_a_card_computes_is_not_judged_by_the_processors_load(told, monkeypatch):
    made = told(others=1.5, cores=2)
    monkeypatch.setattr(timing, "choose", lambda _name: torch.device("cpu"))
    assert latency(TimedNetwork(made, *STEADY), CONFIG).marks == ("disturbed",)

    class Card:
        type = "card"

    monkeypatch.setattr(timing, "choose", lambda _name: Card())
    monkeypatch.setattr(timing, "measuring", lambda *_: torch.no_grad())
    monkeypatch.setattr(timing, "made_up", lambda *_: torch.zeros(1))
    assert latency(TimedNetwork(made, *STEADY), CONFIG).circumstances.load is None


def test_a_system_that_tells_nothing_is_no_disturbance(monkeypatch):
    def broken(*_, **__):
        raise NotImplementedError

    for name in ("cpu_times", "cpu_freq", "sensors_battery"):
        monkeypatch.setattr(f"psutil.{name}", broken, raising=False)
    monkeypatch.setattr("psutil.sensors_temperatures", broken, raising=False)
    monkeypatch.setattr("os.getloadavg", broken, raising=False)
    assert Machine().times() is None
    assert Machine().state() == MachineState()


def test_this_machine_tells_its_work():
    before = Machine().times()
    assert before is not None
    sum(range(2_000_000))
    after = Machine().times()
    assert after.own > before.own
    assert after.busy >= before.busy
    assert after.cores >= 1


def test_everything_known_is_kept_as_plain_values(told):
    made = told(others=1.5, cores=2)
    plain = latency(TimedNetwork(made, *STEADY), CONFIG).circumstances.to_json()
    assert plain["before"]["megahertz"] == 2000.0
    (found,) = plain["disturbances"]
    assert found == {"sign": "load", "amount": plain["load"], "limit": LIMITS["load"]}


def test_networks_are_timed_in_turns(told):
    made, calls = told(), []
    pair = [TimedNetwork(made, 0.01, calls=calls, name=name) for name in "AB"]
    latencies(pair, CONFIG)
    assert "".join(calls) == "AB" + "ABBA" * 6


def test_a_machine_that_slows_down_leaves_the_ratio_of_pairs_alone(told):
    made = told()
    slower = [0.010] * 7 + [0.030] * 6
    first = TimedNetwork(made, *slower)
    second = TimedNetwork(made, *(2 * seconds for seconds in slower))
    one, other = latencies([first, second], CONFIG)
    ratio = paired_ratio(other.runs, one.runs)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((2.0, 2.0, 2.0))
    assert one.marks == other.marks == ("disturbed",)


def test_the_interval_of_a_ratio_holds_it_and_is_the_same_each_time():
    times = [20.0, 21.0, 19.0, 22.0, 20.5, 18.0, 20.0, 23.0]
    others = [10.0, 10.0, 10.5, 9.5, 10.0, 10.0, 11.0, 10.0]
    ratio = paired_ratio(times, others)
    assert ratio.low <= ratio.value <= ratio.high
    assert ratio.low < ratio.high
    assert ratio.pairs == 8
    assert paired_ratio(times, others) == ratio
    with pytest.raises(ValueError, match="make no pairs"):
        paired_ratio(times, others[1:])


def test_the_suites_own_machine_is_calm():
    assert isinstance(machine_module.THIS, CalmMachine)
    timed = latency(TimedNetwork(ToldMachine(), 0.0), CONFIG)
    assert timed.marks == ()
