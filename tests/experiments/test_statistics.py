"""Intervals cover, differences are paired, and a seed gives the same numbers again."""

import math

import numpy as np
import pytest

from experiments.statistics import MEAN, paired_bootstrap, percentiles
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
    assert np.random.default_rng(3).integers(0, 5, 5).tolist() == [4, 0, 0, 1, 0]


def test_a_model_against_itself_differs_by_nothing():
    one = record([1, 2, 0, 3, 1], [2, 3, 1, 3, 4])
    found = paired_bootstrap([one, one], resamples=100)
    interval = found.difference(0, 1, "hard")
    assert (interval.low, interval.high, interval.excludes_zero) == (0, 0, False)
    assert found.probability(0, 1, "hard") == 0.5
    assert found.interval(0, MEAN).low <= one.ap("hard") <= found.interval(0, MEAN).high


def test_a_model_that_is_better_everywhere_wins_every_resample():
    faces = [4] * 30
    worse, better = record([2] * 30, faces), record([3] * 30, faces)
    found = paired_bootstrap([worse, better], resamples=100)
    assert found.probability(0, 1, "hard") == 1.0
    assert found.difference(0, 1, "hard").excludes_zero


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
