"""Training seeds, apart from images: each one shown, and claims only where there are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.comparison.seed_statistics import FEWEST, SeedGroup, seed_groups
from experiments.metrics import AP_METRICS, kind
from vault_sync.rendering.markdown import Safe, table
from vault_sync.reports.sections.comparison_cache import write_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page


def seeds(page: Page, runs: Sequence[Run]) -> dict[str, Safe]:
    """Return the table of all seeds of RUNS' trainings, and what may be said; empty with one each.

    Keys: `table`, `few` (groups nothing is claimed of), `differences` (of means, where known).
    """
    groups = list(dict.fromkeys(seed_groups(runs, page.sources.store)))
    if all(len(group.runs) == 1 for group in groups):
        return {}
    words = page.words
    names = [name for name in AP_METRICS if any(group.values(name) for group in groups)]
    headers: list[object] = [words.say("seeds.experiment"), words.say("seeds.seed")]
    headers += [words.say("column.run"), *(Safe(kind(one).title(words.language)) for one in names)]
    rows = [row for group in groups for row in _rows(page, group, names)]
    few = [group.experiment for group in groups if not group.enough]
    return {
        "table": table(headers, rows, numeric=range(3, len(headers))),
        "few": words.listing(list(dict.fromkeys(few))),
        "fewest": words.number(FEWEST, "d"),
        "means": words.listing([group.experiment for group in groups if group.enough]),
        "differences": _differences(page, groups, names),
    }


def _rows(page: Page, group: SeedGroup, names: Sequence[str]) -> list[list[object]]:
    words = page.words
    lines: list[list[object]] = [
        [
            group.experiment,
            str(run.record.seed),
            page.run(run),
            *(page.cell(run.metric(name)) for name in names),
        ]
        for run in group.runs
    ]
    if group.enough:
        mean: list[object] = [group.experiment, words.say("seeds.mean", n=len(group.runs)), ""]
        lines.append([*mean, *(_mean(page, group, name) for name in names)])
    return lines


def _mean(page: Page, group: SeedGroup, name: str) -> Safe:
    found = group.summary(name)
    if found is None:
        return page.words.say("none")
    value = page.words.amount(found.mean, name, "fraction")
    return Safe(value + write_interval(page.words, name, (found.low, found.high)))


def _differences(page: Page, groups: Sequence[SeedGroup], names: Sequence[str]) -> Safe:
    """List the differences of means from the first group's; empty where none may be given."""
    words, first = page.words, groups[0]
    rows = []
    for group in groups[1:]:
        found = {name: one for name in names if (one := group.less(first, name))}
        if found:
            cells = [
                Safe(
                    words.say("points", n=words.number(100 * found[name].mean, "+.1f"))
                    + write_interval(words, name, (found[name].low, found[name].high))
                )
                if name in found
                else words.say("none")
                for name in names
            ]
            rows.append([group.experiment, *cells])
    headers: list[object] = [words.say("column.less", base=first.experiment)]
    headers += [Safe(kind(name).title(words.language)) for name in names]
    return table(headers, rows, numeric=range(1, len(headers))) if rows else Safe("")
