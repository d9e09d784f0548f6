"""Repeated training seeds: every value is shown, and claims need enough of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.comparison.seed_statistics import MIN_SEEDS, seed_groups
from experiments.comparison.seed_table import seed_table
from experiments.metrics import kind
from vault_sync.rendering.markdown import Safe
from vault_sync.reports.sections.comparison_cache import write_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.comparison.seed_table import SeedLine, SeedTable
    from experiments.comparison.table import Value
    from experiments.records.run import Run
    from vault_sync.rendering.page import Page
    from vault_sync.rendering.words import Words


def seeds(page: Page, runs: Sequence[Run]) -> dict[str, Safe]:
    """Return the table of all seeds of RUNS' trainings, and what may be said; empty with one each.

    Keys: `table`, `few` (groups nothing is claimed of), `differences` (of means, where known).
    """
    groups = seed_groups(runs, page.sources.store)
    if all(len(group.runs) == 1 for group in groups):
        return {}
    words, by_seed = page.words, seed_table(groups)
    headers: list[object] = [words.say("seeds.experiment"), words.say("seeds.seed")]
    headers += [words.say("column.run"), *_titles(words, by_seed)]
    rows = [_row(page, line, by_seed) for line in by_seed.lines]
    return {
        "table": page.table("seeds", headers, rows, range(3, len(headers))),
        "few": words.listing(by_seed.few),
        "fewest": words.number(MIN_SEEDS, "d"),
        "means": words.listing(by_seed.enough),
        "differences": _differences(page, by_seed),
    }


def _titles(words: Words, by_seed: SeedTable) -> list[Safe]:
    return [Safe(kind(name).title(words.language)) for name in by_seed.metrics]


def _row(page: Page, line: SeedLine, by_seed: SeedTable) -> list[object]:
    words, run = page.words, line.run
    seed = str(run.record.seed) if run else words.say("seeds.mean", n=line.count)
    values = [
        _value(words, name, value) for name, value in zip(by_seed.metrics, line.values, strict=True)
    ]
    return [line.experiment, seed, page.run(run) if run else "", *values]


def _value(words: Words, name: str, value: Value | None) -> Safe:
    if value is None:
        return words.say("not_measured")
    interval = write_interval(words, name, (value.low, value.high))
    return Safe(f"{words.amount(value.number, name)}{words.marks(value.marks)}{interval}")


def _differences(page: Page, by_seed: SeedTable) -> Safe:
    """List the differences of means from the first group's; empty where none may be given."""
    words = page.words
    if not by_seed.differences:
        return Safe("")
    rows = [
        [
            other.experiment,
            *(
                _difference_cell(words, name, difference)
                for name, difference in zip(by_seed.metrics, other.values, strict=True)
            ),
        ]
        for other in by_seed.differences
    ]
    base = by_seed.differences[0].base
    headers: list[object] = [words.say("column.less", base=base)]
    headers += _titles(words, by_seed)
    return page.table("seed_differences", headers, rows, range(1, len(headers)), base=base)


def _difference_cell(words: Words, name: str, difference: Value | None) -> Safe:
    if difference is None:
        return words.say("none")
    points = words.say("points", n=words.number(100 * difference.number, "+.1f"))
    return Safe(points + write_interval(words, name, (difference.low, difference.high)))
