"""Notes of a comparison on devices and timing settings that differ between its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.comparison.result import ComparisonNote
from experiments.conditions import TIMED, Conditions
from experiments.conditions_text import MeasurementSettings
from experiments.metrics import AP_METRICS, LATENCIES
from experiments.wording.phrases import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from experiments.metrics import Metric
    from experiments.records.run import Run


@dataclass(frozen=True)
class Machines:
    """The conditions of one metric in several runs."""

    of: Mapping[str, Conditions]
    """Run's id -> conditions."""

    def text(self, language: str = "en") -> str:
        """Return the devices, each with its run."""
        unknown = say("comparison.machine_unknown", language)
        return "; ".join(
            f"{conditions.shown() or unknown} ({run})" for run, conditions in self.of.items()
        )


def about_machines(runs: Sequence[Run]) -> list[ComparisonNote]:
    """Return notes on the devices that AP, time and memory of RUNS were measured on."""
    return [*_rounding(runs), *_settings(runs), *_devices(runs)]


def _settings(runs: Sequence[Run]) -> list[ComparisonNote]:
    timed = [metric for run in runs for metric in run.metrics if metric.name in LATENCIES]
    settings = MeasurementSettings(
        tuple(dict.fromkeys(metric.conditions.manner for metric in timed))
    )
    if len(settings.of) > 1:
        return [ComparisonNote("timed-differently", {"settings": settings})]
    return [ComparisonNote("timed", {"setting": settings})] if timed else []


def _devices(runs: Sequence[Run]) -> list[ComparisonNote]:
    """Name the device of times and memories, where it is no CPU or the runs differ in it."""
    notes = []
    for start in TIMED:
        conditions = _conditions_by_run(
            runs,
            lambda metric, start=start: metric.name.startswith(start),  # type: ignore[misc]
        )
        machines = list(dict.fromkeys(Conditions().on(taken) for taken in conditions.values()))
        values: dict[str, object] = {"what": f"taken-{start.strip('.')}"}
        if len(machines) > 1:
            notes.append(ComparisonNote("machines", values | {"machines": Machines(conditions)}))
        elif machines and machines[0].device not in ("", "cpu"):
            notes.append(ComparisonNote("machine", values | {"machine": machines[0].shown()}))
    return notes


def _rounding(runs: Sequence[Run]) -> list[ComparisonNote]:
    """Note where the last digits of AP may differ by rounding under the same protocol."""
    conditions = _conditions_by_run(runs, lambda metric: metric.name in AP_METRICS)
    known = {run: taken for run, taken in conditions.items() if taken.known}
    notes = []
    if len({taken.device == "cpu" or taken.hardware for taken in known.values()}) > 1:
        notes.append(ComparisonNote("rounding", {"machines": Machines(known)}))
    if known and len(known) < len(conditions):
        unknown = tuple(run for run in conditions if run not in known)
        notes.append(ComparisonNote("rounding-unknown", {"runs": unknown}))
    return notes


def _conditions_by_run(
    runs: Sequence[Run], wanted: Callable[[Metric], bool]
) -> dict[str, Conditions]:
    """Return the conditions of the first metric of each run that is WANTED, by the run's id."""
    metrics = {
        run.id: next((metric for metric in run.metrics if wanted(metric)), None) for run in runs
    }
    return {run: metric.conditions for run, metric in metrics.items() if metric is not None}
