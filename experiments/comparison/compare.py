"""Comparison of runs: metrics, differences with intervals, and published or planned results."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from experiments.comparison.machines import about_machines
from experiments.comparison.multiple_tests import holm
from experiments.comparison.recipe_differences import differing_settings
from experiments.comparison.result import (
    ALPHA,
    Comparison,
    ComparisonNote,
    ComparisonRow,
    Delta,
    reason_against,
)
from experiments.comparison.seed_statistics import seed_groups, trained
from experiments.comparison.timings import about_timings, known_calm, ratio_interval
from experiments.metrics import AP_METRICS, KINDS, OVERLAP, SYNTHETIC, Metric
from experiments.wording.phrases import Amount
from featherface.errors import ClaimFalseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from experiments.comparison.seed_statistics import SeedGroup
    from experiments.comparison.statistics import Bootstrap, Interval
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.wording.phrases import Sentence
    from experiments.workspace.milestones import CitedResult

FORCE = "compare runs of one data set and protocol, or add --force to see them side by side"


def compare(
    runs: Sequence[Run],
    *,
    references: Iterable[CitedResult] = (),
    store: Store | None = None,
    force: bool = False,
    resamples: int = 1000,
    seed: int = 0,
    choice: Iterable[Sentence] = (),
) -> Comparison:
    """Compare RUNS with the first of them, and show REFERENCES beside.

    CHOICE says how the runs were chosen, which the notes then tell.

    A cited or planned AP is shown only where the runs were evaluated on the same data and by
    the same protocol; its parameters are always shown.

    Raises:
        UsageError: the runs differ in data set, split, protocol or completeness (unless FORCE),
            or there is only one.
        ClaimFalseError: a record is not sealed, or was changed after it was.
    """
    chosen = tuple(runs)
    if len(chosen) < 2:
        raise UsageError("compare needs two runs or more", "thesis runs list")
    check_sealed(chosen, store)
    mixed = _mixtures(chosen)
    if mixed and not force:
        raise UsageError(mixed[0].text(), FORCE)
    bootstrap = None if mixed else _bootstrap(chosen, resamples, seed)
    cited = tuple(references)
    rows = _corrected([_row(name, chosen, cited, bootstrap) for name in _names(chosen)])
    seeds = seed_groups(chosen, store)
    about_the_runs = (
        *_about_data(chosen),
        *_about_overlap(chosen),
        *about_machines(chosen),
        *about_timings(chosen),
    )
    notes: list[Sentence] = [*mixed, *choice, *about_the_runs]
    notes += [
        *_about_references(rows, cited),
        *_about_uncertainty(bootstrap, rows),
        *_about_seeds(seeds),
    ]
    differing = differing_settings(chosen)
    return Comparison(chosen, cited, rows, tuple(notes), differing, bootstrap, seeds)


def published_for(runs: Iterable[Run], cited: Mapping[str, CitedResult]) -> tuple[CitedResult, ...]:
    """Return what was published of the very networks of RUNS."""
    variants = {run.variant for run in runs if run.variant}
    return tuple(
        result
        for result in cited.values()
        if result.evidence == "cited" and variants & set(result.variants)
    )


def targets_of(runs: Iterable[Run], cited: Mapping[str, CitedResult]) -> tuple[CitedResult, ...]:
    """Return what was planned for the experiments of RUNS: `v2-plan` for `v2`."""
    names = dict.fromkeys(f"{run.experiment}-plan" for run in runs)
    return tuple(cited[name] for name in names if name in cited)


def check_sealed(runs: Sequence[Run], store: Store | None) -> None:
    """Refuse RUNS of which one is not sealed, or not as it was sealed.

    Raises:
        ClaimFalseError: the message names the run and the file.
    """
    from experiments.records import seal  # noqa: PLC0415 - hides behind the store elsewhere

    for run in runs:
        if not run.sealed:
            raise ClaimFalseError(
                f"{run.id} is {run.status}: only finished runs can be compared",
                f"thesis run {run.experiment} --resume",
            )
        problems = store.problems(run) if store else seal.verify(run.folder)
        if problems:
            raise ClaimFalseError(
                f"the sealed record of {run.id} was changed: {seal.describe_problems(problems)}",
                "restore the file from a backup, or run the experiment again; "
                f"see: {seal.remedy(problems, run.id)}",
            )


def _mixtures(runs: Sequence[Run]) -> list[ComparisonNote]:
    """Return one note for each way in which the runs' evaluations can't be set side by side."""
    first = next((run for run in runs if _context(run)), None)
    if first is None:
        return []
    context = _context(first)
    notes = []
    for run in runs:
        other = _context(run)
        if other and other != context:
            values = {"one": first.id, "other": run.id}
            for name in ("dataset", "split", "protocol", "complete", "images", "fingerprint"):
                if context[name] != other[name]:
                    pair = {"first": context[name], "second": other[name]}
                    notes.append(ComparisonNote(f"mixed-{name}", values | pair))
                    break
    return notes


def _context(run: Run) -> dict[str, Any]:
    """Return what AP was measured on; empty where the run has none."""
    metric = next((metric for metric in run.metrics if metric.name in AP_METRICS), None)
    if metric is None:
        return {}
    return {
        "dataset": metric.dataset,
        "split": metric.split,
        "protocol": metric.protocol,
        "complete": metric.complete,
        "images": metric.n,
        "fingerprint": metric.fingerprint,
    }


def _bootstrap(runs: Sequence[Run], resamples: int, seed: int) -> Bootstrap | None:
    """Resample the images of all runs at once; None where match records are missing."""
    records = [run.matches() for run in runs]
    present = [record for record in records if record is not None]
    if resamples < 1 or len(present) < len(records):
        return None
    if any(record.images != present[0].images for record in present):
        return None
    from experiments.comparison.statistics import paired_bootstrap  # noqa: PLC0415 - numpy

    return paired_bootstrap(present, resamples=resamples, seed=seed)


def _names(runs: Sequence[Run]) -> list[str]:
    """Return the metrics that any run has, known ones first and in their order."""
    names = dict.fromkeys(metric.name for run in runs for metric in run.metrics)
    return [name for name in KINDS if name in names] + [name for name in names if name not in KINDS]


def _row(
    name: str,
    runs: Sequence[Run],
    references: Sequence[CitedResult],
    bootstrap: Bootstrap | None,
) -> ComparisonRow:
    metrics = tuple(run.metric(name) for run in runs)
    subset = AP_METRICS.get(name, "") if bootstrap else ""
    known = bootstrap is not None and subset in bootstrap.values
    intervals = tuple(
        bootstrap.interval(at, subset)
        if bootstrap and known and metric and not metric.marks
        else ratio_interval(runs[at], name)
        for at, metric in enumerate(metrics)
    )
    deltas = tuple(
        _delta(at, metrics, subset if known else "", bootstrap) for at in range(len(metrics))
    )
    if name.startswith("latency."):
        deltas = tuple(
            delta and dataclasses.replace(delta, relative=known_calm((runs[0], runs[at])))
            for at, delta in enumerate(deltas)
        )
    context = next((metric.context for metric in metrics if metric), None)
    cited = tuple(_comparable(result.metric(name), context) for result in references)
    return ComparisonRow(name, metrics, intervals, deltas, cited)


def _delta(
    at: int, metrics: Sequence[Metric | None], subset: str, bootstrap: Bootstrap | None
) -> Delta | None:
    first, this = metrics[0], metrics[at]
    if at == 0 or first is None or this is None or reason_against(first, this):
        return None
    value = this.value - first.value
    if bootstrap is None or not subset:
        return Delta(value)
    return Delta(
        value,
        bootstrap.difference(0, at, subset),
        _known(bootstrap.probability(0, at, subset)),
        _known(bootstrap.p_value(0, at, subset)),
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _corrected(rows: Sequence[ComparisonRow]) -> tuple[ComparisonRow, ...]:
    """Correct the P values of all differences in ROWS for their number."""
    tested = [(row, delta) for row in rows for delta in row.deltas if delta and delta.p is not None]
    values = iter(holm([delta.p or 0.0 for _, delta in tested]))
    return tuple(
        dataclasses.replace(row, deltas=tuple(_with_holm(delta, values) for delta in row.deltas))
        for row in rows
    )


def _with_holm(delta: Delta | None, values: Iterator[float]) -> Delta | None:
    if delta is None or delta.p is None:
        return delta
    return dataclasses.replace(delta, holm=next(values))


def _comparable(metric: Metric | None, context: tuple[Any, ...] | None) -> Metric | None:
    if metric is None or not metric.dataset:
        return metric
    return metric if metric.context == context else None


def _about_data(runs: Sequence[Run]) -> list[ComparisonNote]:
    context = next(filter(None, map(_context, runs)), None)
    if context is None:
        return []
    values = {"split": context["split"], "n": context["images"], "protocol": context["protocol"]}
    if context["dataset"] == SYNTHETIC:
        return [ComparisonNote("data-synthetic", values)]
    if not context["complete"]:
        return [ComparisonNote("data-partial", values)]
    return [ComparisonNote("data-whole", values | {"dataset": context["dataset"]})]


def _about_overlap(runs: Sequence[Run]) -> list[ComparisonNote]:
    """Tell of results on pictures that a network was trained on."""
    known = tuple(run.id for run in runs if any(OVERLAP in metric.marks for metric in run.metrics))
    return [ComparisonNote("overlap", {"runs": known})] if known else []


def _about_references(
    rows: Sequence[ComparisonRow], references: Sequence[CitedResult]
) -> list[ComparisonNote]:
    """Note that cited APs are left out, where data or protocol differ from the runs'."""
    hidden = [
        result.name
        for place, result in enumerate(references)
        for row in rows
        if row.name in AP_METRICS and result.metric(row.name) and row.references[place] is None
    ]
    return [ComparisonNote("references-aside")] if hidden else []


def _about_uncertainty(
    bootstrap: Bootstrap | None, rows: Sequence[ComparisonRow]
) -> list[ComparisonNote]:
    """Explain intervals and marks, and the uncertainty that the number of images leaves."""
    if bootstrap is None:
        return []
    deltas = [delta for row in rows for delta in row.deltas if delta and delta.p is not None]
    counts = {"resamples": bootstrap.resamples, "n": bootstrap.images, "seed": bootstrap.seed}
    notes = [ComparisonNote("chance", counts)]
    notes += [ComparisonNote("holm", {"n": len(deltas)})] if deltas else []
    if deltas and 2 * len(deltas) / (bootstrap.resamples + 1) > ALPHA:
        notes.append(
            ComparisonNote("holm-coarse", {"resamples": bootstrap.resamples, "n": len(deltas)})
        )
    alone = _widest([interval for row in rows for interval in row.intervals])
    paired = _widest([delta.interval for delta in deltas])
    if alone and paired:
        widths = {"ap": Amount(alone, "points"), "n": bootstrap.images}
        notes.append(ComparisonNote("uncertainty", widths | {"delta": Amount(paired, "points")}))
    return notes


def _widest(intervals: Iterable[Interval | None]) -> float:
    """Return half the width of the widest of INTERVALS."""
    widths = [
        (interval.high - interval.low) / 2
        for interval in intervals
        if interval and interval.low == interval.low
    ]
    return max(widths, default=0.0)


def _about_seeds(seeds: Sequence[SeedGroup]) -> list[ComparisonNote]:
    """Note that there is one seed per run; where there are several, a table shows them."""
    alone = all(len(group.runs) == 1 for group in seeds)
    return (
        [ComparisonNote("seeds-one")]
        if alone and any(trained(group.runs[0]) for group in seeds)
        else []
    )
