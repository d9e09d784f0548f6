"""What runs measured: tables of accuracy and cost, a row per run, and what was counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import AP_METRICS, KINDS, SUBSETS
from vault_sync.rendering.markdown import Safe, code
from vault_sync.rendering.page import MODEL_METRICS, Page
from vault_sync.reports.sections.comparison_cache import intervals, write_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.records.run import Run

COUNTED = ("recall", "precision")
"""What metrics of detections from a score on are called."""


def accuracy_table(page: Page, runs: Sequence[Run]) -> Safe:
    """List the APs of RUNS, each with its interval; empty where none was evaluated."""
    names = columns(runs, AP_METRICS)
    if not names:
        return Safe("")
    ends = {run: intervals(page, run) for run in runs}
    rows = [[_ap(page, run, name, ends[run]) for name in names] for run in runs]
    return _table(page, "accuracy", runs, names, rows)


def cost_table(page: Page, runs: Sequence[Run]) -> Safe:
    """List what RUNS cost: parameters, operations, time, memory; empty where none was measured."""
    names = columns(runs, MODEL_METRICS)
    if not names:
        return Safe("")
    rows = [[page.cell(run.metric(name)) for name in names] for run in runs]
    return _table(page, "costs", runs, names, rows)


def columns(runs: Sequence[Run], names: Iterable[str]) -> list[str]:
    """Return the NAMES that at least one run has measured."""
    return [name for name in names if any(run.metric(name) for run in runs)]


def faces(page: Page, runs: Sequence[Run]) -> Safe:
    """Say how many faces count in each subset, where the records agree on it; else nothing."""
    counts = [run.results.get("details", {}).get("evaluate", {}).get("faces", {}) for run in runs]
    recorded = [count for count in counts if count]
    if not recorded or any(count != recorded[0] for count in recorded):
        return Safe("")
    phrases = [
        f"{page.words.number(recorded[0].get(name, 0), ',')} {name.title()}" for name in SUBSETS
    ]
    return page.words.say("faces", list=page.words.listing([Safe(phrase) for phrase in phrases]))


def _ap(page: Page, run: Run, name: str, ends: Mapping[str, tuple[float, float]]) -> Safe:
    text = page.cell(run.metric(name))
    return Safe(text + write_interval(page.words, name, ends.get(name)))


def _table(
    page: Page,
    name: str,
    runs: Sequence[Run],
    names: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> Safe:
    words = page.words
    headers = [words.say("column.run"), words.say("column.network")]
    headers += [Safe(KINDS[metric].title(words.language)) for metric in names]
    lines = [
        [page.run(run), code(run.variant) if run.variant else words.say("none"), *row]
        for run, row in zip(runs, rows, strict=True)
    ]
    return page.table(name, headers, lines, range(2, len(headers)))


def decision(page: Page, runs: Sequence[Run]) -> Safe:
    """Say at what score RUNS' recall and precision were taken; empty where none has any."""
    scores = {run: score for run in runs if (score := _score(run)) is not None}
    if not scores:
        return Safe("")
    words = page.words
    if len(set(scores.values())) == 1:
        score = next(iter(scores.values()))
        return words.say("decision.same", score=words.number(score, ".4g"))
    phrases = [
        words.say("decision.one", run=page.run_in_prose(run), score=words.number(score, ".4g"))
        for run, score in scores.items()
    ]
    return words.say("decision.mixed", list=Safe(words.semicolon.join(phrases)))


def _score(run: Run) -> float | None:
    """Return the score that RUN's recipe counts detections from; None without such a metric."""
    counts = any(metric.dataset and metric.name.split(".")[-1] in COUNTED for metric in run.metrics)
    value = (run.recipe.get("evaluate") or {}).get("decision")
    return float(value) if counts and isinstance(value, int | float) else None
