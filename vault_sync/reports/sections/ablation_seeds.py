"""Build-ups step by step, and ablations repeated over several training seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

from experiments.comparison.multiple_tests import holm
from experiments.comparison.result import ALPHA
from experiments.comparison.seed_statistics import MIN_SEEDS, spread
from experiments.metrics import AP_METRICS, kind
from vault_sync.rendering import pictures
from vault_sync.rendering.markdown import Safe
from vault_sync.reports.sections.comparison_cache import compared, write_difference
from vault_sync.reports.sections.differences import differences
from vault_sync.reports.sections.run_diff import changes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.comparison.seed_statistics import Spread
    from experiments.records.run import Run
    from vault_sync.rendering.page import Page

    Rows = dict[str, Mapping[str, Any]]


@dataclass(frozen=True)
class SeedAblation:
    """The ablations of one training seed, compared with the base run of the same seed."""

    base: Run | None
    runs: Sequence[Run]
    rows: Rows
    """Metric -> its row of `compared`."""


def steps(page: Page, runs: Sequence[Run]) -> Safe:
    """List what each of RUNS brings beside the one before, whose network it adds to."""
    words, lines = page.words, []
    rows = [{row["metric"]: row for row in compared(page, pair)["rows"]} for pair in pairwise(runs)]
    names = [name for name in AP_METRICS if all(name in row for row in rows)]
    for (before, run), row in zip(pairwise(runs), rows, strict=True):
        added = [
            words.say("ablation.one", name=change.name, before=change.before, after=change.after)
            for change in changes(page, before, run)
        ]
        (cells,) = differences(page, before, [run], [row[name] for name in names])
        lines.append([page.run(run), Safe("<br>".join(added)), *cells])
    headers: list[object] = [words.say("column.run"), words.say("ablation.added")]
    headers += [Safe(kind(name).title(words.language)) for name in names]
    return page.table("steps", headers, lines, range(2, len(headers)))


def over_seeds(page: Page, by_seed: Sequence[SeedAblation]) -> Safe:
    """List and draw the difference of each ablation in the primary metric, seed by seed.

    Each ablation is set against the base of its own seed; empty where no two seeds have one. What
    may be claimed follows from the seeds alone, after Holm's correction over the rows.
    """
    words = page.words
    based = [ablation for ablation in by_seed if ablation.base is not None]
    if len(based) < 2 or based[0].base is None:
        return Safe("")
    metric = based[0].base.record.primary_metric
    values = [_values(ablation, metric) for ablation in based]
    names = list(dict.fromkeys(key for deltas in values for key in deltas))
    by_ablation = [[deltas[name] for deltas in values if name in deltas] for name in names]
    means = [spread(each) for each in by_ablation]
    corrected = holm([math.nan if over is None else over.p for over in means])
    lines, drawn = [], []
    for name, each, over, p in zip(names, by_ablation, means, corrected, strict=True):
        sure = p <= ALPHA
        cells = [
            _points(page, deltas[name]) if name in deltas else words.say("none")
            for deltas in values
        ]
        mean = _mean(page, metric, each, over, sure=sure)
        lines.append([name, *cells, mean, _claim(page, each, sure=sure)])
        drawn.append(_bar(name, each, over, sure=sure))
    headers: list[object] = [words.say("ablation.run")]
    headers += [words.say("ablation.seed", seed=_seed(ablation)) for ablation in based]
    headers += [words.say("ablation.mean"), words.say("ablation.claim")]
    lead = words.say(
        "ablation.seeds",
        metric=kind(metric).title(words.language),
        fewest=words.number(MIN_SEEDS, "d"),
    )
    listed = page.table(
        "over_seeds", headers, lines, range(1, len(headers) - 1), base=based[0].base.experiment
    )
    return Safe(f"{lead}\n\n{listed}\n\n{_picture(page, based[0].base, drawn)}".rstrip())


def _bar(name: str, deltas: Sequence[float], over: Spread | None, *, sure: bool) -> dict[str, Any]:
    """Return one bar of the figure, as `experiments.plotting.bar_plots` takes it."""
    ends = {} if over is None else {"low": over.low, "high": over.high}
    return {"label": name, "value": fmean(deltas), "singles": tuple(deltas), "sure": sure, **ends}


def _picture(page: Page, base: Run, rows: Sequence[Mapping[str, Any]]) -> Safe:
    words = page.words
    metric = kind(base.record.primary_metric).title(words.language)
    title = words.say("ablation.seeds_title", metric=metric, base=base.experiment)
    draw = partial(pictures.difference_bars, rows, str(title), words.language)
    image = f"{page.block_id}-{base.experiment}-seeds"
    caption = words.say("ablation.seeds_figure", title=title)
    return page.picture(image, caption, [str(title), repr(rows)], draw, ["over_seeds"])


def _mean(
    page: Page, metric: str, deltas: Sequence[float], over: Spread | None, *, sure: bool
) -> Safe:
    """Write the mean of DELTAS, one per seed, with its interval where there are seeds enough."""
    if over is None:
        return _points(page, fmean(deltas)) if len(deltas) > 1 else page.words.say("none")
    ends = (over.low, over.high)
    return write_difference(page.words, metric, over.mean, "fraction", ends, sure=sure)


def _claim(page: Page, deltas: Sequence[float], *, sure: bool) -> Safe:
    """Say what may be claimed of differences, one per seed."""
    words = page.words
    if sure:
        return words.say("ablation.better" if fmean(deltas) > 0 else "ablation.worse")
    if min(deltas) < 0 < max(deltas):
        return words.say("ablation.disagree")
    if len(deltas) < MIN_SEEDS:
        return words.say("ablation.few", n=len(deltas), fewest=MIN_SEEDS)
    return words.say("ablation.chance")


def _values(ablation: SeedAblation, metric: str) -> dict[str, float]:
    """Return experiment -> its difference from the base, a fraction."""
    values = ablation.rows.get(metric, {}).get("values", {})
    deltas = {run.experiment: (values.get(run.id) or {}).get("delta") for run in ablation.runs}
    return {name: float(delta["value"]) for name, delta in deltas.items() if delta}


def _points(page: Page, value: float) -> Safe:
    return page.words.say("points", n=page.words.number(100 * value, "+.1f"))


def _seed(ablation: SeedAblation) -> str:
    return str(ablation.runs[0].record.seed)
