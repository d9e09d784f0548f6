"""Ablations beyond one run against one base: step by step, and over several training seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

from experiments.comparison.result import ALPHA
from experiments.comparison.seed_statistics import FEWEST, spread
from experiments.comparison.statistics import holm
from experiments.metrics import AP_METRICS, kind
from vault_sync.rendering import pictures
from vault_sync.rendering.markdown import Safe, table
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
class Found:
    """The ablations of one seed, and what comparing them with their base gave."""

    base: Run | None
    runs: Sequence[Run]
    rows: Rows
    """Metric -> its row of `compared`."""


def steps(page: Page, runs: Sequence[Run]) -> Safe:
    """List what each of RUNS brings beside the one before, whose network it adds to."""
    words, lines = page.words, []
    rows = [{row["metric"]: row for row in compared(page, pair)["rows"]} for pair in pairwise(runs)]
    names = [name for name in AP_METRICS if all(name in one for one in rows)]
    for (before, run), row in zip(pairwise(runs), rows, strict=True):
        added = [
            words.say("ablation.one", name=one.name, before=one.before, after=one.after)
            for one in changes(page, before, run)
        ]
        (found,) = differences(page, before, [run], [row[name] for name in names])
        lines.append([page.run(run), Safe("<br>".join(added)), *found])
    headers: list[object] = [words.say("column.run"), words.say("ablation.added")]
    headers += [Safe(kind(name).title(words.language)) for name in names]
    return table(headers, lines, numeric=range(2, len(headers)))


def over_seeds(page: Page, found: Sequence[Found]) -> Safe:
    """List and draw the difference of each ablation in the primary metric, seed by seed.

    Each ablation is set against the base of its own seed; empty where no two seeds have one. What
    may be claimed follows from the seeds alone, after Holm's correction over the rows.
    """
    words = page.words
    based = [one for one in found if one.base is not None]
    if len(based) < 2 or based[0].base is None:
        return Safe("")
    metric = based[0].base.record.primary_metric
    values = [_values(one, metric) for one in based]
    names = list(dict.fromkeys(key for one in values for key in one))
    known = [[one[name] for one in values if name in one] for name in names]
    means = [spread(each) for each in known]
    corrected = holm([math.nan if one is None else one.p for one in means])
    lines, drawn = [], []
    for name, each, over, p in zip(names, known, means, corrected, strict=True):
        sure = p <= ALPHA
        cells = [_points(page, one[name]) if name in one else words.say("none") for one in values]
        mean = _mean(page, metric, each, over, sure=sure)
        lines.append([name, *cells, mean, _claim(page, each, sure=sure)])
        drawn.append(_drawn(name, each, over, sure=sure))
    headers: list[object] = [words.say("ablation.run")]
    headers += [words.say("ablation.seed", seed=_seed(one)) for one in based]
    headers += [words.say("ablation.mean"), words.say("ablation.claim")]
    told = words.say(
        "ablation.seeds",
        metric=kind(metric).title(words.language),
        fewest=words.number(FEWEST, "d"),
    )
    listed = table(headers, lines, numeric=range(1, len(headers) - 1))
    return Safe(f"{told}\n\n{listed}\n\n{_picture(page, based[0].base, drawn)}".rstrip())


def _drawn(name: str, known: Sequence[float], over: Spread | None, *, sure: bool) -> dict[str, Any]:
    """Return what a row of the picture shows: see `experiments.plotting.bar_plots.Change`."""
    ends = {} if over is None else {"low": over.low, "high": over.high}
    return {"label": name, "value": fmean(known), "singles": tuple(known), "sure": sure, **ends}


def _picture(page: Page, base: Run, rows: Sequence[Mapping[str, Any]]) -> Safe:
    words = page.words
    metric = kind(base.record.primary_metric).title(words.language)
    title = words.say("ablation.seeds_title", metric=metric, base=base.experiment)
    draw = partial(pictures.difference_bars, rows, str(title), words.language)
    image = f"{page.block_id}-{base.experiment}-seeds"
    caption = words.say("ablation.seeds_figure", title=title)
    return page.picture(image, caption, [str(title), repr(rows)], draw)


def _mean(
    page: Page, metric: str, known: Sequence[float], over: Spread | None, *, sure: bool
) -> Safe:
    """Write the mean of the KNOWN differences, with its interval where there are seeds enough."""
    if over is None:
        return _points(page, fmean(known)) if len(known) > 1 else page.words.say("none")
    ends = (over.low, over.high)
    return write_difference(page.words, metric, over.mean, "fraction", ends, sure=sure)


def _claim(page: Page, known: Sequence[float], *, sure: bool) -> Safe:
    """Say what may be claimed of differences, one per seed."""
    words = page.words
    if sure:
        return words.say("ablation.better" if fmean(known) > 0 else "ablation.worse")
    if min(known) < 0 < max(known):
        return words.say("ablation.disagree")
    if len(known) < FEWEST:
        return words.say("ablation.few", n=len(known), fewest=FEWEST)
    return words.say("ablation.chance")


def _values(found: Found, metric: str) -> dict[str, float]:
    """Return experiment -> its difference from the base, a fraction."""
    values = found.rows.get(metric, {}).get("values", {})
    deltas = {run.experiment: (values.get(run.id) or {}).get("delta") for run in found.runs}
    return {name: float(one["value"]) for name, one in deltas.items() if one}


def _points(page: Page, value: float) -> Safe:
    return page.words.say("points", n=page.words.number(100 * value, "+.1f"))


def _seed(found: Found) -> str:
    return str(found.runs[0].record.seed)
