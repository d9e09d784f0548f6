"""Plots of a comparison: Pareto fronts, precision-recall curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.comparison.tables import run_heading
from experiments.plotting.pareto import COSTS, pareto
from experiments.plotting.run_plots import caption, precision_recall
from experiments.wording.phrases import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.comparison.result import Comparison
    from experiments.plotting.published_curves import PublishedCurve
    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult


def draw_comparison(
    comparison: Comparison,
    cited: Iterable[CitedResult] = (),
    published: Mapping[str, Mapping[str, PublishedCurve]] | None = None,
    language: str = "en",
) -> tuple[dict[str, bytes], list[str]]:
    """Return name -> PNG of every picture there is, and what a reader must be warned of.

    `pareto-<cost>` for each cost that was measured, `precision-recall` where the runs kept match
    records. PUBLISHED curves are of the whole validation split: they are drawn only beside runs
    on all of it.
    """
    field = list(cited)
    pictures = {}
    for cost in COSTS:
        if any(run.metric(cost) for run in comparison.runs):
            name = cost.split(".")[0] + ("-gpu" if ".gpu." in cost else "")
            drawn = pareto(comparison.runs, field, cost=cost, language=language, others=True)
            pictures[f"pareto-{name}"] = drawn
    curves, warnings = _comparable(comparison, published or {}, language)
    matches = {run_heading(run, language): run.matches() for run in comparison.runs}
    records = {label: record for label, record in matches.items() if record is not None}
    on = _caption(comparison.runs, language)
    pictures["precision-recall"] = precision_recall(records, language, on, published=curves)
    return {name: png for name, png in pictures.items() if png}, warnings


def _caption(runs: Sequence[Run], language: str) -> str:
    """Return what RUNS were evaluated on, a line for each kind; whose it is where they differ."""
    captions = {run.id: text for run in runs if (text := caption(run, language))}
    distinct = set(captions.values())
    if len(distinct) < 2:
        return "".join(distinct)
    colon = say("colon", language)
    return "\n".join(f"{run}{colon}{text}" for run, text in captions.items())


def _comparable(
    comparison: Comparison, published: Mapping[str, Mapping[str, PublishedCurve]], language: str
) -> tuple[Mapping[str, Mapping[str, PublishedCurve]], list[str]]:
    row = next((row for row in comparison.rows if row.name.endswith(".ap")), None)
    whole = row is not None and all(
        metric is None
        or (metric.dataset == "widerface" and metric.split == "val" and metric.complete)
        for metric in row.metrics
    )
    if published and not whole:
        return {}, [say("plot.curves_aside", language)]
    return published, []
