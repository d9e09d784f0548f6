"""What a reader must know of the machines that the numbers of several runs were taken on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.comparison.result import Note
from experiments.conditions import TIMED
from experiments.conditions_text import Manners
from experiments.metrics import AP_METRICS, LATENCIES
from experiments.wording.phrases import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from experiments.conditions import Conditions
    from experiments.metrics import Metric
    from experiments.records.run import Run


@dataclass(frozen=True)
class Machines:
    """Runs and what a number of each was taken on."""

    of: Mapping[str, Conditions]
    """Run's id -> conditions."""

    def text(self, language: str = "en") -> str:
        """Return the devices, each with its run."""
        unknown = say("comparison.machine_unknown", language)
        return "; ".join(f"{one.shown() or unknown} ({run})" for run, one in self.of.items())


def about_machines(runs: Sequence[Run]) -> list[Note]:
    """Say on what AP, time and memory of RUNS were taken, or that the runs differ in it."""
    return [*_rounding(runs), *_settings(runs), *_devices(runs)]


def _settings(runs: Sequence[Run]) -> list[Note]:
    timed = [one for run in runs for one in run.metrics if one.name in LATENCIES]
    manners = Manners(tuple(dict.fromkeys(metric.conditions.manner for metric in timed)))
    if len(manners.of) > 1:
        return [Note("timed-differently", {"settings": manners})]
    return [Note("timed", {"setting": manners})] if timed else []


def _devices(runs: Sequence[Run]) -> list[Note]:
    """Name the device of times and memories, where it is no CPU or the runs differ in it."""
    notes = []
    for start in TIMED:
        found = _told(runs, lambda one, start=start: one.name.startswith(start))  # type: ignore[misc]
        machines = list(dict.fromkeys(found.values()))
        values: dict[str, object] = {"what": f"taken-{start.strip('.')}"}
        if len(machines) > 1:
            notes.append(Note("machines", values | {"machines": Machines(found)}))
        elif machines and machines[0].device not in ("", "cpu"):
            notes.append(Note("machine", values | {"machine": machines[0].shown()}))
    return notes


def _rounding(runs: Sequence[Run]) -> list[Note]:
    """Say where the last digits of AP may differ, though its protocol is the same."""
    found = _told(runs, lambda one: one.name in AP_METRICS)
    known = {run: one for run, one in found.items() if one.known}
    notes = []
    if len({one.device == "cpu" or one.hardware for one in known.values()}) > 1:
        notes.append(Note("rounding", {"machines": Machines(known)}))
    if known and len(known) < len(found):
        unknown = tuple(run for run in found if run not in known)
        notes.append(Note("rounding-unknown", {"runs": unknown}))
    return notes


def _told(runs: Sequence[Run], wanted: Callable[[Metric], bool]) -> dict[str, Conditions]:
    """Return the conditions of the first metric of each run that is WANTED, by the run's id."""
    found = {run.id: next((one for one in run.metrics if wanted(one)), None) for run in runs}
    return {run: one.conditions for run, one in found.items() if one is not None}
