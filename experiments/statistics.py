"""How sure a difference is: the paired bootstrap over images.

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

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


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

    def difference(self, one: int, other: int, subset: str, level: float = LEVEL) -> Interval:
        """Return the interval of AP(OTHER) - AP(ONE), paired by resample."""
        return percentiles(self._differences(one, other, subset), level)

    def probability(self, one: int, other: int, subset: str) -> float:
        """Return the share of resamples in which OTHER beats ONE; ties count half."""
        found = self._differences(one, other, subset)
        found = found[np.isfinite(found)]
        if not found.size:
            return math.nan
        return float(np.mean(found > 0) + 0.5 * np.mean(found == 0))

    def _differences(self, one: int, other: int, subset: str) -> NDArray[np.float64]:
        difference: NDArray[np.float64] = self.values[subset][other] - self.values[subset][one]
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
    subsets = [name for name in records[0].subsets if all(name in one.subsets for one in records)]
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
    """Return (R, I): how often each resample draws each image, with replacement."""
    random = np.random.default_rng(seed)
    weights = np.empty((resamples, images))
    for row in weights:
        row[:] = np.bincount(random.integers(0, images, images), minlength=images)
    return weights
