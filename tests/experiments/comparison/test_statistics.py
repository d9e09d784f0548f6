"""Intervals cover, differences are paired, and a seed gives the same numbers again."""

import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from experiments.comparison.multiple_tests import holm
from experiments.comparison.result import excludes_zero
from experiments.comparison.statistics import (
    MEAN,
    paired_bootstrap,
    percentiles,
)
from featherface.errors import UsageError
from featherface.evaluation.matches import MatchRecords, SubsetMatches


def record(found, faces, images=None):
    """Return records of one subset where each picture finds so many of its faces, no false ones."""
    reach = np.ones((1, 10), dtype=np.int32)
    hits = np.asarray(found, dtype=np.int32)[:, None] * reach
    subset = SubsetMatches(faces=np.asarray(faces, dtype=np.int32), proposals=hits, hits=hits)
    names = images or tuple(f"e/{at}" for at in range(len(faces)))
    return MatchRecords(images=names, subsets={"hard": subset})


def test_the_same_seed_gives_the_same_numbers():
    one = record([1, 2, 0, 3, 1], [2, 3, 1, 3, 4])
    first = paired_bootstrap([one, one], resamples=50, seed=3)
    again = paired_bootstrap([one, one], resamples=50, seed=3)
    other = paired_bootstrap([one, one], resamples=50, seed=4)
    assert np.array_equal(first.values["hard"], again.values["hard"])
    assert not np.array_equal(first.values["hard"], other.values["hard"])


def test_a_seed_means_the_same_resamples_on_every_machine():
    # With one face in the first picture only, recall is 0 or 1; kept as it was first computed.
    one = record([1, 0, 0, 0, 0], [1, 1, 1, 1, 1])
    drawn = paired_bootstrap([one], resamples=8, seed=3).values["hard"][0]
    assert (5 * drawn).round().tolist() == TIMES_DRAWN


TIMES_DRAWN = [2, 2, 0, 0, 1, 1, 1, 0]
"""How often the first of five pictures is in each of eight resamples of seed 3."""


def test_a_model_against_itself_differs_by_nothing():
    one = record([1, 2, 0, 3, 1], [2, 3, 1, 3, 4])
    found = paired_bootstrap([one, one], resamples=100)
    interval = found.difference(0, 1, "hard")
    assert (interval.low, interval.high) == (0, 0)
    assert found.probability(0, 1, "hard") == 0.5
    assert found.interval(0, MEAN).low <= one.ap("hard") <= found.interval(0, MEAN).high


def test_a_model_that_is_better_everywhere_wins_every_resample():
    faces = [4] * 30
    worse, better = record([2] * 30, faces), record([3] * 30, faces)
    found = paired_bootstrap([worse, better], resamples=100)
    assert found.probability(0, 1, "hard") == 1.0
    assert found.difference(0, 1, "hard").low > 0
    assert found.p_value(0, 1, "hard") == 2 / 101  # never zero: nobody has drawn every resample


@hypothesis.given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holms_correction(values):
    corrected = holm(values)
    order = np.argsort(values, kind="stable")
    # The definition: reject the smallest values while each is at most a / (how many are left).
    for level in (0.01, 0.05, 0.2, 0.7):
        rejected = set()
        for rank, at in enumerate(order):
            if values[at] * (len(values) - rank) > level:
                break
            rejected.add(int(at))
        assert {at for at, one in enumerate(corrected) if one <= level} == rejected


def test_an_undefined_value_is_no_comparison():
    corrected = holm([0.02, math.nan, 0.03])
    assert corrected[0] == pytest.approx(0.04)
    assert math.isnan(corrected[1])
    assert corrected[2] == pytest.approx(0.04)


def test_an_interval_leaves_half_of_the_rest_on_either_side():
    interval = percentiles(np.arange(1001) / 1000)
    assert (interval.low, interval.high) == pytest.approx((0.025, 0.975))


def test_an_interval_that_touches_zero_does_not_exclude_it():
    assert not excludes_zero(0.0, 0.1)
    assert not excludes_zero(-0.1, 0.0)
    assert excludes_zero(0.01, 0.1)
    assert excludes_zero(-0.1, -0.01)
    assert not excludes_zero(None, None)


def test_p_values_go_with_the_intervals():
    random = np.random.default_rng(5)
    faces = [5] * 40
    base = record(random.binomial(5, 0.6, 40), faces)
    for chance in (0.5, 0.6, 0.65, 0.7, 0.9):
        other = record(random.binomial(5, chance, 40), faces)
        found = paired_bootstrap([base, other], resamples=999)
        p = found.p_value(0, 1, "hard")
        assert 2 / 1000 <= p <= 1
        if not 0.04 < p < 0.06:  # at the edge, ties and rounding decide
            ends = found.difference(0, 1, "hard")
            assert (ends.low > 0 or ends.high < 0) == (p < 0.05)


@pytest.mark.slow
def test_intervals_of_differences_cover_the_truth_at_their_rate():
    # Two models, correlated by how hard each picture is, with false alarms; the true difference
    # is that of a population of pictures far larger than a sample.
    random = np.random.default_rng(1)
    population = detections(random, 20_000)
    truth = population[1].ap("hard") - population[0].ap("hard")
    covered, called, trials = 0, 0, 200
    for trial in range(trials):
        sample = detections(random, 80)
        found = paired_bootstrap(sample, resamples=200, seed=trial)
        interval = found.difference(0, 1, "hard")
        covered += interval.low <= truth <= interval.high
        called += paired_bootstrap([sample[0], sample[0]], resamples=50).p_value(0, 1, "hard") < 1
    assert 0.90 <= covered / trials <= 0.99
    assert called == 0


def detections(random, images):
    """Return records of two models on the same IMAGES, at ten thresholds."""
    ease = random.beta(4, 2, images)
    faces = random.integers(1, 5, images)
    found = []
    for strength in (0.8, 0.95):
        reached = random.binomial(faces, ease * strength)
        level = np.sort(random.random((images, 1)) * np.linspace(0.2, 1, 10), axis=1)
        hits = np.floor(reached[:, None] * level / level[:, -1:]).astype(np.int32)
        alarms = random.poisson(1 - ease)[:, None] * (np.arange(10) > 5)
        subset = SubsetMatches(
            faces=faces.astype(np.int32), proposals=(hits + alarms).astype(np.int32), hits=hits
        )
        names = tuple(f"e/{at}" for at in range(images))
        found.append(MatchRecords(images=names, subsets={"hard": subset}))
    return found


@pytest.mark.slow
def test_intervals_cover_the_truth_at_their_rate():
    random = np.random.default_rng(0)
    chance, faces, covered, trials = 0.6, 3, 0, 200  # no detection is false: AP is recall
    for trial in range(trials):
        found = random.binomial(faces, chance, 60)
        interval = paired_bootstrap(
            [record(found, [faces] * 60)], resamples=200, seed=trial
        ).interval(0, "hard")
        covered += interval.low <= chance <= interval.high
    assert 0.90 <= covered / trials <= 0.99


def test_other_images_are_refused():
    one = record([1], [1])
    with pytest.raises(UsageError, match="same images"):
        paired_bootstrap([one, record([1], [1], images=("x/1",))])


def test_resamples_without_faces_are_left_out():
    interval = percentiles(np.array([math.nan, 0.2, 0.4]))
    assert 0.2 <= interval.low <= interval.high <= 0.4
    assert math.isnan(percentiles(np.array([math.nan])).low)
