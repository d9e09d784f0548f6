"""Plots of a comparison: Pareto fronts, precision-recall curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.plotting.pareto import COSTS, pareto
from experiments.plotting.run_plots import caption, precision_recall
from experiments.wording.phrases import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.comparison.result import Comparison
    from experiments.plotting.published_curves import Curve
    from experiments.workspace.milestones import CitedResult


def draw_comparison(
    found: Comparison,
    cited: Iterable[CitedResult] = (),
    published: Mapping[str, Mapping[str, Curve]] | None = None,
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
        if any(run.metric(cost) for run in found.runs):
            name = cost.split(".")[0] + ("-gpu" if ".gpu." in cost else "")
            drawn = pareto(found.runs, field, cost=cost, language=language, others=True)
            pictures[f"pareto-{name}"] = drawn
    curves, warnings = _comparable(found, published or {}, language)
    matches = {run.id: run.matches() for run in found.runs}
    records = {label: one for label, one in matches.items() if one is not None}
    on = caption(found.runs[0], language)
    pictures["precision-recall"] = precision_recall(records, language, on, published=curves)
    return {name: png for name, png in pictures.items() if png}, warnings


def _comparable(
    found: Comparison, published: Mapping[str, Mapping[str, Curve]], language: str
) -> tuple[Mapping[str, Mapping[str, Curve]], list[str]]:
    row = next((one for one in found.rows if one.name.endswith(".ap")), None)
    whole = row is not None and all(
        one is None or (one.dataset == "widerface" and one.split == "val" and one.complete)
        for one in row.metrics
    )
    if published and not whole:
        return {}, [say("plot.curves_aside", language)]
    return published, []
