"""Paired bootstrap over images.

Efron and Tibshirani, 1993, An Introduction to the Bootstrap: percentile intervals. Images are
the units that are resampled; every model sees the same resample, so that what the images have
in common cancels out of a difference. This says nothing of the spread between training seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from featherface.evaluation.matches import MatchRecords

RESAMPLES = 1000
LEVEL = 0.95
MEAN = "mean"
"""Key of the mean over the subsets, beside `easy`, `medium` and `hard`."""


@dataclass(frozen=True)
class Interval:
    """A percentile interval."""

    low: float
    high: float
    level: float = LEVEL


@dataclass(frozen=True)
class Bootstrap:
    """The APs of several models on the same resamples of the images."""

    values: Mapping[str, NDArray[np.float64]]
    """Subset (and `mean`) -> (models, resamples); NaN where a resample holds no face."""
    images: int
    resamples: int
    seed: int

    def interval(self, model: int, subset: str, level: float = LEVEL) -> Interval:
        """Return the interval of MODEL's AP on SUBSET."""
        return percentiles(self.values[subset][model], level)

    def difference(self, first: int, second: int, subset: str, level: float = LEVEL) -> Interval:
        """Return the interval of AP(SECOND) - AP(FIRST), paired by resample."""
        return percentiles(self._differences(first, second, subset), level)

    def probability(self, first: int, second: int, subset: str) -> float:
        """Return the share of resamples in which SECOND beats FIRST; ties count half."""
        differences = self._differences(first, second, subset)
        differences = differences[np.isfinite(differences)]
        if not differences.size:
            return math.nan
        return float(np.mean(differences > 0) + 0.5 * np.mean(differences == 0))

    def p_value(self, first: int, second: int, subset: str) -> float:
        """Return the two-sided P value of `AP(FIRST) = AP(SECOND)`: the interval turned round.

        It is at least 2 / (resamples + 1), so many comparisons need many resamples.
        """
        differences = self._differences(first, second, subset)
        differences = differences[np.isfinite(differences)]
        if not differences.size:
            return math.nan
        rarer = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
        return min(1.0, 2 * (1 + int(rarer)) / (differences.size + 1))

    def _differences(self, first: int, second: int, subset: str) -> NDArray[np.float64]:
        difference: NDArray[np.float64] = self.values[subset][second] - self.values[subset][first]
        return difference


def paired_bootstrap(
    records: Sequence[MatchRecords], *, resamples: int = RESAMPLES, seed: int = 0
) -> Bootstrap:
    """Resample the images of RECORDS, one record per model, all of the same images.

    Reproducible: the same records, count and SEED give the same numbers on every machine.

    Raises:
        UsageError: the records are of different images.
    """
    names = records[0].images
    if any(record.images != names for record in records):
        raise UsageError("a paired bootstrap needs the same images for every model")
    weights = _weights(len(names), resamples, seed)
    subsets = [
        name for name in records[0].subsets if all(name in record.subsets for record in records)
    ]
    values = {
        subset: np.stack([record.resampled_ap(subset, weights) for record in records])
        for subset in subsets
    }
    values[MEAN] = np.mean([values[subset] for subset in subsets], axis=0)
    return Bootstrap(values, len(names), resamples, seed)


def resample(
    record: MatchRecords, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Return subset (and `mean`) -> AP (resamples,) of one model.

    Models of the same images and SEED are paired: each resample draws the same images for all.
    """
    weights = _weights(len(record.images), resamples, seed)
    values = {subset: record.resampled_ap(subset, weights) for subset in record.subsets}
    values[MEAN] = np.mean(list(values.values()), axis=0)
    return values


def percentiles(values: NDArray[np.float64], level: float = LEVEL) -> Interval:
    """Return the interval that holds the middle LEVEL of VALUES (R,), NaN left out."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Interval(math.nan, math.nan, level)
    tail = (1 - level) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    return Interval(float(low), float(high), level)


def _weights(images: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """Return (R, I): how often each resample draws each image, with replacement.

    Taken from the raw words of PCG64, which NumPy promises never to change for a seed; its
    generators may draw other numbers in a later version.
    """
    stream = np.random.PCG64(seed)
    half, count = np.uint64(32), np.uint64(images)
    weights = np.empty((resamples, images))
    for row in weights:
        words = np.atleast_1d(np.asarray(stream.random_raw(images), dtype=np.uint64))
        drawn = (words >> half) * count >> half  # the upper 32 bits, scaled to 0 .. images - 1
        row[:] = np.bincount(drawn.astype(np.intp), minlength=images)
    return weights
