"""Whether a record agrees with itself: the APs it states against the matches they follow from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from experiments.metrics import AP_METRICS
from experiments.records.run import MATCHES, RESULTS
from experiments.records.seal import CONTRADICTED, UNREADABLE, Problem
from featherface.errors import HeldError, ThesisError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.metrics import Metric
    from experiments.records.run import Run
    from featherface.evaluation.matches import MatchRecords

MEAN = "mean"
TOLERANCE = 1e-6
"""Far below what any table shows, far above what another machine's rounding makes of it."""


def contradictions(run: Run) -> list[Problem]:
    """Return where the results of RUN are not what its match records give; nothing without them."""
    try:
        metrics = [metric for metric in run.metrics if metric.name in AP_METRICS]
    except HeldError as error:
        return [Problem(RESULTS, UNREADABLE, error.message)]
    except (ThesisError, TypeError, ValueError, KeyError, AttributeError) as error:
        return [Problem(RESULTS, CONTRADICTED, f"was sealed as no results: {error}")]
    if not metrics or not run.has_matches:
        return []
    try:
        matches = run.matches()
    except ThesisError as error:
        return [Problem(MATCHES, CONTRADICTED, f"was sealed as no match records: {error.message}")]
    return [] if matches is None else list(_differences(metrics, matches))


def recomputed(matches: MatchRecords) -> dict[str, float]:
    """Return subset (and `mean`) -> AP as MATCHES give it; NaN without any face."""
    values = {subset: matches.ap(subset) for subset in matches.subsets}
    return {**values, MEAN: math.fsum(values.values()) / len(values)} if values else {}


def _differences(metrics: list[Metric], matches: MatchRecords) -> Iterator[Problem]:
    values = recomputed(matches)
    for metric in metrics:
        value = values.get(AP_METRICS[metric.name], math.nan)
        if not math.isclose(metric.value, value, rel_tol=0.0, abs_tol=TOLERANCE):
            detail = f"{metric.name} is {metric.value:.6f}, its matches give {value:.6f}"
            yield Problem(RESULTS, CONTRADICTED, detail)
        elif metric.n != len(matches.images):
            detail = f"{metric.name} is of {metric.n} images, its matches of {len(matches.images)}"
            yield Problem(RESULTS, CONTRADICTED, detail)
