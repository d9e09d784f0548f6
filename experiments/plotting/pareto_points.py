"""The results of a Pareto plot: which may share a plane, and which none other beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.disturbances import marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.metrics import Metric
    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult


@dataclass(frozen=True)
class ParetoPoint:
    """A measured, published or planned result in the cost-AP plane."""

    label: str
    cost: Metric
    ap: Metric
    evidence: str = "measured"
    ends: tuple[float, float] | None = None
    """Of the interval of its AP."""

    @property
    def claims(self) -> bool:
        """Whether the front may rest on it: no plan, and no measurement with a mark."""
        return self.evidence != "target" and not self.marks

    @property
    def marks(self) -> tuple[str, ...]:
        """Return what must be said of its cost or its AP."""
        return tuple(dict.fromkeys((*self.cost.marks, *self.ap.marks)))


def comparable(points: Sequence[ParetoPoint]) -> list[ParetoPoint]:
    """Return those of POINTS whose AP was taken as the first one's was."""
    return [point for point in points if point.ap.context == points[0].ap.context]


def has_front(
    runs: Sequence[Run],
    cited: Iterable[CitedResult] = (),
    *,
    cost: str = "params.total",
    metric: str = "widerface.hard.ap",
) -> bool:
    """Whether `pareto` draws the line of a front: it takes two points that none other beats."""
    points = [*of_runs(runs, cost, metric, "en"), *of_cited(cited, cost, metric, "en")]
    return len(best_of(comparable(points))) > 1


def best_of(points: Iterable[ParetoPoint]) -> list[tuple[float, float]]:
    """Return the front of those POINTS that it may rest on."""
    return front([(point.cost.value, point.ap.value) for point in points if point.claims])


def front(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the (cost, AP) pairs that no other one beats, by rising cost.

    >>> front([(3, 0.8), (1, 0.5), (2, 0.4), (3, 0.7)])
    [(1, 0.5), (3, 0.8)]
    """
    kept: list[tuple[float, float]] = []
    for cost, ap in sorted(points, key=lambda pair: (pair[0], -pair[1])):
        if not kept or ap > kept[-1][1]:
            kept.append((cost, ap))
    return kept


def of_runs(
    runs: Sequence[Run],
    cost: str,
    metric: str,
    language: str,
    ends: Mapping[str, tuple[float, float]] | None = None,
) -> list[ParetoPoint]:
    """Return the runs' points; a latency counts only in the first one's setting, on its device."""
    known = ends or {}
    results = [(run.id, run.metric(cost), run.metric(metric)) for run in runs]
    points = [
        ParetoPoint(label + marked(price, ap, language=language), price, ap, ends=known.get(label))
        for label, price, ap in results
        if price and ap
    ]
    return [point for point in points if point.cost.context == points[0].cost.context]


def of_cited(
    cited: Iterable[CitedResult], cost: str, metric: str, language: str
) -> list[ParetoPoint]:
    """Return the points of published and planned results."""
    results = [(result, result.metric(cost), result.metric(metric)) for result in cited]
    return [
        ParetoPoint(result.titled(language), price, ap, result.evidence)
        for result, price, ap in results
        if price and ap
    ]
