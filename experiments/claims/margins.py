"""Margins of a claim's relations: by how much each holds, with a bootstrap interval.

APs are resampled over images. All runs share the same resamples, so that a difference of two runs
is paired: what they have in common cancels out. A run's resampled APs are cached under its seal. A
ratio of latencies that were timed in turns brings the interval that its record keeps.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from experiments.claims.predicates import (
    COMPARE,
    COMPUTE,
    Arithmetic,
    MetricTerm,
    NumberTerm,
    metric_terms,
)
from experiments.comparison.timings import ratio_interval
from experiments.metrics import AP_METRICS, RATIO
from experiments.records.run import read_matches
from featherface.errors import ThesisError
from featherface.source.cache_entries import entry_path, read_entry, write_entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from experiments.claims.evidence import Observation
    from experiments.claims.predicates import Relation, Term
    from experiments.comparison.statistics import Interval
    from experiments.records.run import Run

    Observations = Mapping[MetricTerm, Observation]

RESAMPLES = 1000
SEED = 0
UPWARDS = {">": 1, ">=": 1, "<": -1, "<=": -1}
"""Sign -> +1 where a larger left side helps, else -1; `==` and `!=` have no margin."""


@dataclass(frozen=True)
class Margin:
    """One relation of a claim with the values of its two sides."""

    relation: Relation
    left: float
    right: float
    holds: bool
    unit: str = ""
    """Of both sides."""
    low: float | None = None
    """Ends of the 95 % interval of how far the claim is fulfilled (negative: how far it is not)."""
    high: float | None = None
    exact: bool = True
    """False where how sure it is can't be told: an AP without match records or of other images, a
    ratio of latencies beside another value with an interval."""

    @property
    def value(self) -> float:
        """By how much the relation holds; negative where it doesn't."""
        return (self.left - self.right) * UPWARDS.get(self.relation.sign, 1)

    def at(self, end: str) -> bool | None:
        """Return whether it holds at the `low` or `high` end; None where that is not known."""
        bound = self.low if end == "low" else self.high
        if bound is None:
            return self.holds if self.exact else None
        return bound >= 0 if "=" in self.relation.sign else bound > 0


class Resampled:
    """The APs of runs on shared bootstrap resamples of the images, cached on the disk."""

    def __init__(self, cache_folder: Path) -> None:
        self.cache_folder = cache_folder
        self._by_seal: dict[str, dict[str, Any] | None] = {}

    def interval(self, run: Run, metric: str) -> Interval | None:
        """Return the 95 % interval of an AP of RUN; None for others, or without match records."""
        values = self.values(run, metric)
        if values is None:
            return None
        from experiments.comparison.statistics import percentiles  # noqa: PLC0415 - numpy

        return percentiles(values)

    def values(self, run: Run, metric: str) -> NDArray[Any] | None:
        """Return METRIC of RUN on each resample, (RESAMPLES,); None without match records of it."""
        resampled = self._resampled(run) if metric in AP_METRICS else None
        return None if resampled is None else resampled.get(AP_METRICS[metric])

    def images(self, run: Run) -> str:
        """Return the SHA-256 of the names of RUN's images; empty without match records."""
        resampled = self._resampled(run)
        return "" if resampled is None else str(resampled["images"])

    def _resampled(self, run: Run) -> dict[str, Any] | None:
        if run.seal not in self._by_seal:
            self._by_seal[run.seal] = _cached_aps(self.cache_folder, run)
        return self._by_seal[run.seal]


def margin(relation: Relation, observations: Observations, resampled: Resampled) -> Margin | None:
    """Return by how much RELATION holds; None where a value in it is not known."""
    left, right = value_of(relation.left, observations), value_of(relation.right, observations)
    if left is None or right is None:
        return None
    point_margin = Margin(
        relation,
        left,
        right,
        holds=COMPARE[relation.sign](left, right),
        unit=unit_of(relation.left, observations) or unit_of(relation.right, observations),
    )
    if ratios := [term for term in metric_terms(relation) if RATIO.fullmatch(term.metric)]:
        return _with_ratio(point_margin, ratios, observations)
    ap_observations = [
        observations[term] for term in metric_terms(relation) if term.metric in AP_METRICS
    ]
    runs = [observation.run for observation in ap_observations if observation.run is not None]
    if not runs or relation.sign not in UPWARDS:
        return point_margin
    images = {resampled.images(run) for run in runs}
    interval = None
    if len(images) == 1 and "" not in images:
        interval = _margin_interval(relation, observations, resampled)
    if interval is None:
        return replace(point_margin, exact=False)
    return replace(point_margin, low=interval.low, high=interval.high)


def _with_ratio(
    point_margin: Margin, ratios: Sequence[MetricTerm], observations: Observations
) -> Margin:
    """Return POINT_MARGIN between those at both ends of the interval of the only one of RATIOS."""
    relation, term = point_margin.relation, ratios[0]
    observation = observations[term]
    resampled = any(each.metric in AP_METRICS for each in metric_terms(relation))
    known = ratio_interval(observation.run, term.metric) if observation.run else None
    if relation.sign not in UPWARDS:
        return point_margin
    if known is None or observation.metric is None or len(set(ratios)) > 1 or resampled:
        return replace(point_margin, exact=False)
    ends = []
    for value in (known.low, known.high):
        at_end = replace(observation, metric=replace(observation.metric, value=value))
        changed = {**observations, term: at_end}
        left, right = value_of(relation.left, changed), value_of(relation.right, changed)
        if left is None or right is None:
            return replace(point_margin, exact=False)
        ends.append((left - right) * UPWARDS[relation.sign])
    return replace(point_margin, low=min(ends), high=max(ends))


def _margin_interval(
    relation: Relation, observations: Observations, resampled: Resampled
) -> Interval | None:
    from experiments.comparison.statistics import percentiles  # noqa: PLC0415 - numpy

    left = _resampled_value(relation.left, observations, resampled)
    right = _resampled_value(relation.right, observations, resampled)
    interval = percentiles((left - right) * UPWARDS[relation.sign])
    return None if math.isnan(interval.low) else interval


def value_of(term: Term, observations: Observations) -> float | None:
    """Return the value of TERM; None where a metric in it does not count, or it has none."""
    if isinstance(term, NumberTerm):
        return term.value
    if isinstance(term, MetricTerm):
        observation = observations[term]
        return (
            None if observation.reason or observation.metric is None else observation.metric.value
        )
    left, right = value_of(term.left, observations), value_of(term.right, observations)
    if left is None or right is None or (term.sign == "/" and right == 0):
        return None
    return COMPUTE[term.sign](left, right)


def unit_of(term: Term, observations: Observations) -> str:
    """Return the unit of TERM's value; empty where it has none or it can't be told."""
    if isinstance(term, NumberTerm):
        return ""
    if isinstance(term, MetricTerm):
        metric = observations[term].metric
        return metric.unit if metric else ""
    left, right = unit_of(term.left, observations), unit_of(term.right, observations)
    if term.sign in "+-":
        return left or right
    return "" if (left and right) or (term.sign == "/" and right) else left or right


def _resampled_value(term: Term, observations: Observations, resampled: Resampled) -> Any:
    """Return TERM on every resample: an array, or one number where nothing in it is resampled."""
    import numpy as np  # noqa: PLC0415 - slow to import

    if isinstance(term, Arithmetic):
        left, right = (
            _resampled_value(side, observations, resampled) for side in (term.left, term.right)
        )
        with np.errstate(all="ignore"):
            return COMPUTE[term.sign](left, right)
    if isinstance(term, MetricTerm):
        observation = observations[term]
        values = resampled.values(observation.run, term.metric) if observation.run else None
        if values is not None:
            return values
    return np.float64(value_of(term, observations) or 0.0)


def _cached_aps(cache_folder: Path, run: Run) -> dict[str, Any] | None:
    """Return the resampled APs of RUN, from the cache or computed; None without match records."""
    inputs = [run.seal, str(RESAMPLES), str(SEED)]
    path = entry_path(cache_folder, resampled_aps, inputs, libraries=["numpy"], suffix=".npz")
    aps = _read(path)
    if aps is None:
        aps = resampled_aps(run.folder)
        if aps is not None:
            write_entry(path, _packed(aps))
    return aps


def resampled_aps(folder: Path) -> dict[str, Any] | None:
    """Resample the match records of the run in FOLDER; None where it has none that can be read.

    Returns:
        Subset, and `mean` -> AP (RESAMPLES,); `images` -> SHA-256 of the images' names.
    """
    try:
        records = read_matches(folder)
    except ThesisError:
        return None
    if records is None:
        return None
    import numpy as np  # noqa: PLC0415 - slow to import

    from experiments.comparison.statistics import resample  # noqa: PLC0415 - numpy

    names = hashlib.sha256("\n".join(records.images).encode("utf-8")).hexdigest()
    return {**resample(records, RESAMPLES, SEED), "images": np.array(names)}


def _packed(values: Mapping[str, Any]) -> bytes:
    """Return VALUES as the bytes of an .npz file."""
    import numpy as np  # noqa: PLC0415 - slow to import

    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **values)
    return content.getvalue()


def _read(path: Path) -> dict[str, Any] | None:
    content = read_entry(path)
    if content is None:
        return None
    import numpy as np  # noqa: PLC0415 - slow to import

    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception:  # noqa: BLE001 - a damaged cache is made anew, whatever is wrong with it
        return None
