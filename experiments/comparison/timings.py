"""What a comparison says of times: taken in turns, one after the other, or on a busy machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.comparison.result import ComparisonNote
from experiments.disturbances import Disturbances, circumstances
from experiments.metrics import DISTURBED, LATENCIES, RATIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from experiments.comparison.statistics import Interval
    from experiments.metrics import Metric
    from experiments.records.run import Run


def ratio_interval(run: Run, metric: str) -> Interval | None:
    """Return the interval of a ratio that RUN measured in turns; None for other metrics."""
    if RATIO.fullmatch(metric) is None:
        return None
    ratio = next((each["ratio"] for each in _beside(run) if each["metric"] == metric), None)
    if ratio is None:
        return None
    from experiments.comparison.statistics import Interval  # noqa: PLC0415 - numpy

    return Interval(float(ratio["low"]), float(ratio["high"]), float(ratio["level"]))


def known_calm(runs: Sequence[Run]) -> bool:
    """Whether the records of RUNS tell of the machine, and that it was left alone."""
    known = [circumstances(run.results) for run in runs]
    return all(about and not about.get("disturbances") for about in known)


def about_timings(runs: Sequence[Run]) -> list[ComparisonNote]:
    """Return notes on how the latencies of RUNS were taken, and how to take them better."""
    timed = {run: metric for run in runs if (metric := _latency(run)) is not None}
    if len(timed) < 2:
        return []
    return [*_disturbed(timed), *_unknown(timed), *_in_turns(timed), *_separately(timed)]


def _disturbed(timed: Mapping[Run, Metric]) -> Iterator[ComparisonNote]:
    for run, metric in timed.items():
        if DISTURBED in metric.marks:
            command = f"thesis run {run.id} --stage benchmark --new"
            why = Disturbances.recorded(run.results)
            values = {"run": run.id, "why": why, "command": command}
            yield ComparisonNote("timed-disturbed", values)


def _unknown(timed: Mapping[Run, Metric]) -> Iterator[ComparisonNote]:
    """Tell of records that were written before the machine was watched."""
    silent = tuple(run.id for run in timed if not circumstances(run.results))
    if silent:
        yield ComparisonNote("timed-unknown", {"runs": silent})


def _in_turns(timed: Mapping[Run, Metric]) -> Iterator[ComparisonNote]:
    ids = {run.id for run in timed}
    for run in timed:
        for each in _beside(run):
            if each["run"] in ids:
                values = {"run": run.id, "other": each["run"], "n": int(each["ratio"]["pairs"])}
                yield ComparisonNote("timed-in-turns", values)


def _separately(timed: Mapping[Run, Metric]) -> Iterator[ComparisonNote]:
    """Tell of latencies that are compared and were not taken in turns."""
    calm = [run for run, metric in timed.items() if DISTURBED not in metric.marks]
    apart = [
        run
        for run in calm[1:]
        if timed[run].context == timed[calm[0]].context and not _paired(calm[0], run)
    ]
    if apart:
        ids = [calm[0].id, *(run.id for run in apart)]
        last = apart[-1].id
        values = {
            "runs": tuple(ids),
            "look": f"thesis benchmark {' '.join(ids)}",
            "keep": f"thesis run {last} --stage benchmark --new --set benchmark.beside=[{ids[0]}]",
        }
        yield ComparisonNote("timed-separately", values)


def _paired(first: Run, second: Run) -> bool:
    return any(
        each["run"] == other.id
        for run, other in ((first, second), (second, first))
        for each in _beside(run)
    )


def _beside(run: Run) -> list[dict[str, Any]]:
    """Return what RUN measured in turns with other networks."""
    benchmark = run.results.get("details", {}).get("benchmark", {})
    return list(benchmark.get("beside") or ())


def _latency(run: Run) -> Metric | None:
    return next((metric for name in LATENCIES if (metric := run.metric(name))), None)
