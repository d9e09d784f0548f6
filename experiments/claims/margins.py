"""How sure a claim's comparisons are: the margin by which each holds, resampled over the images.

One resample of the images for all runs: what they have in common cancels out of a difference. A
run's resampled APs are kept by its seal, so that a second check reads them.
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
    Number,
    Reference,
    references,
)
from experiments.metrics import AP_METRICS
from experiments.records.run import read_matches
from featherface.errors import ThesisError
from featherface.source.cache_entries import entry_path, read_entry, write_entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from experiments.claims.evidence import Observation
    from experiments.claims.predicates import Comparison, Term
    from experiments.comparison.statistics import Interval
    from experiments.records.run import Run

RESAMPLES = 1000
SEED = 0
UPWARDS = {">": 1, ">=": 1, "<": -1, "<=": -1}
"""Sign -> whether a larger left side helps; `==` and `!=` have no margin."""


@dataclass(frozen=True)
class Margin:
    """One comparison of a claim, with the numbers."""

    comparison: Comparison
    left: float
    right: float
    holds: bool
    unit: str = ""
    """Of both sides."""
    low: float | None = None
    """Ends of the 95 % interval of how far the claim is fulfilled (negative: how far it is not)."""
    high: float | None = None
    exact: bool = True
    """False where an AP takes part whose match records are missing."""

    @property
    def value(self) -> float:
        """By how much the comparison holds; negative where it doesn't."""
        return (self.left - self.right) * UPWARDS.get(self.comparison.sign, 1)

    def at(self, end: str) -> bool | None:
        """Return whether it holds at the `low` or `high` end; None where that is not known."""
        bound = self.low if end == "low" else self.high
        if bound is None:
            return self.holds if self.exact else None
        return bound >= 0 if "=" in self.comparison.sign else bound > 0


class Resampled:
    """The APs of runs on the same resamples of the images."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self._kept: dict[str, dict[str, Any] | None] = {}

    def interval(self, run: Run, metric: str) -> Interval | None:
        """Return the 95 % interval of an AP of RUN; None for others, or without match records."""
        values = self.values(run, metric)
        if values is None:
            return None
        from experiments.comparison.statistics import percentiles  # noqa: PLC0415 - numpy

        return percentiles(values)

    def values(self, run: Run, metric: str) -> NDArray[Any] | None:
        """Return METRIC of RUN on each resample; None without match records of it."""
        found = self._of(run) if metric in AP_METRICS else None
        return None if found is None else found.get(AP_METRICS[metric])

    def images(self, run: Run) -> str:
        """Return what stands for the images that RUN was evaluated on."""
        found = self._of(run)
        return "" if found is None else str(found["images"])

    def _of(self, run: Run) -> dict[str, Any] | None:
        if run.seal not in self._kept:
            self._kept[run.seal] = _kept(self.cache, run)
        return self._kept[run.seal]


def margin(
    comparison: Comparison, found: Mapping[Reference, Observation], resampled: Resampled
) -> Margin | None:
    """Return by how much COMPARISON holds; None where a number in it is not known."""
    left, right = number(comparison.left, found), number(comparison.right, found)
    if left is None or right is None:
        return None
    known = Margin(
        comparison,
        left,
        right,
        holds=COMPARE[comparison.sign](left, right),
        unit=unit_of(comparison.left, found) or unit_of(comparison.right, found),
    )
    scores = [found[one] for one in references(comparison) if one.metric in AP_METRICS]
    measured = [one.run for one in scores if one.run is not None]
    if not measured or comparison.sign not in UPWARDS:
        return known
    images = {resampled.images(run) for run in measured}
    interval = None
    if len(images) == 1 and "" not in images:
        interval = _interval(comparison, found, resampled)
    if interval is None:
        return replace(known, exact=False)
    return replace(known, low=interval.low, high=interval.high)


def _interval(
    comparison: Comparison, found: Mapping[Reference, Observation], resampled: Resampled
) -> Interval | None:
    from experiments.comparison.statistics import percentiles  # noqa: PLC0415 - numpy

    left = _spread(comparison.left, found, resampled)
    right = _spread(comparison.right, found, resampled)
    interval = percentiles((left - right) * UPWARDS[comparison.sign])
    return None if math.isnan(interval.low) else interval


def number(term: Term, found: Mapping[Reference, Observation]) -> float | None:
    """Return the value of TERM; None where a metric in it does not count, or it has none."""
    if isinstance(term, Number):
        return term.value
    if isinstance(term, Reference):
        one = found[term]
        return None if one.reason or one.metric is None else one.metric.value
    left, right = number(term.left, found), number(term.right, found)
    if left is None or right is None or (term.sign == "/" and right == 0):
        return None
    return COMPUTE[term.sign](left, right)


def unit_of(term: Term, found: Mapping[Reference, Observation]) -> str:
    """Return the unit of TERM's value; empty where it has none or it can't be told."""
    if isinstance(term, Number):
        return ""
    if isinstance(term, Reference):
        metric = found[term].metric
        return metric.unit if metric else ""
    left, right = unit_of(term.left, found), unit_of(term.right, found)
    if term.sign in "+-":
        return left or right
    return "" if (left and right) or (term.sign == "/" and right) else left or right


def _spread(term: Term, found: Mapping[Reference, Observation], resampled: Resampled) -> Any:
    """Return TERM on every resample: an array, or one number where nothing in it is resampled."""
    import numpy as np  # noqa: PLC0415 - slow to import

    if isinstance(term, Arithmetic):
        left, right = (_spread(side, found, resampled) for side in (term.left, term.right))
        with np.errstate(all="ignore"):
            return COMPUTE[term.sign](left, right)
    if isinstance(term, Reference):
        one = found[term]
        values = resampled.values(one.run, term.metric) if one.run else None
        if values is not None:
            return values
    return np.float64(number(term, found) or 0.0)


def _kept(cache: Path, run: Run) -> dict[str, Any] | None:
    """Return the resampled APs of RUN, read or made; None without match records."""
    inputs = [run.seal, str(RESAMPLES), str(SEED)]
    path = entry_path(cache, resampled_aps, inputs, libraries=["numpy"], suffix=".npz")
    known = _read(path)
    if known is None:
        known = resampled_aps(run.folder)
        if known is not None:
            write_entry(path, _packed(known))
    return known


def resampled_aps(folder: Path) -> dict[str, Any] | None:
    """Resample the match records of the run in FOLDER; None where it has none that can be read.

    Returns:
        Subset, and `mean` -> AP (RESAMPLES,); `images` -> what stands for the images.
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
