"""Statistics of passes against NumPy's, and percentiles against their definition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featherface.profiling.pass_statistics import PassStatistics, passes_for, percentile

TIMES = st.lists(st.floats(0.01, 1e4), min_size=1, max_size=130)


@given(TIMES)
def test_statistics_are_those_of_numpy(times):
    told = PassStatistics.of(times)
    assert told.mean == pytest.approx(np.mean(times))
    assert told.median == pytest.approx(np.median(times))
    assert (told.min, told.max, told.passes) == (np.min(times), np.max(times), len(times))
    if len(times) > 1:
        assert told.std == pytest.approx(np.std(times), abs=1e-9)


@given(TIMES, st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_percentile_is_the_shortest_pass_that_more_than_its_share_do_not_exceed(times, share):
    value = percentile(times, share)
    reached = [each for each in times if np.mean(np.array(times) <= each) > share + 1e-12]
    assert value == (min(reached) if reached else max(times))


def test_percentiles_of_a_hundred_passes_are_the_ones_one_would_count():
    told = PassStatistics.of([float(number) for number in range(1, 201)])
    assert (told.p90, told.p95, told.p99) == (181.0, 191.0, 199.0)


def test_one_pass_has_no_deviation_and_is_its_own_percentile():
    told = PassStatistics.of([7.0])
    assert told.std is None
    assert told.to_json() == {
        "passes": 1,
        "mean": 7.0,
        "std": None,
        "min": 7.0,
        "max": 7.0,
        "median": 7.0,
        "p90": 7.0,
        "p95": 7.0,
        "p99": 7.0,
    }


@pytest.mark.parametrize("share", [0.9, 0.95, 0.99])
def test_from_so_many_passes_on_a_percentile_is_not_simply_the_longest(share):
    fewest = passes_for(share)
    for count, longest in ((fewest, False), (fewest - 1, True)):
        times = [float(number) for number in range(count)]
        assert math.isclose(percentile(times, share), times[-1]) == longest


def test_throughput_is_pictures_by_the_mean_and_nothing_where_no_time_passed():
    assert PassStatistics.of([10.0, 30.0]).per_second(4) == pytest.approx(200.0)
    assert PassStatistics.of([0.0]).per_second(4) is None
