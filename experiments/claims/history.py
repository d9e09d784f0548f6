"""History of the claims: their states on an earlier day, by the runs finished until then."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from experiments.claims.checking import Examiner
from experiments.claims.evidence import Facts
from experiments.records.store import Store
from featherface.source.cache_entries import entry_path, read_entry, write_entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.records.run import Run
    from experiments.staleness.changes import ProvenanceChange
    from experiments.workspace.workspace import Workspace


def day_of(moment: str) -> date | None:
    """Return the day, in UTC, of an ISO 8601 MOMENT; None where it is none."""
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (parsed.astimezone(UTC) if parsed.tzinfo else parsed).date()


def finished_on(run: Run) -> date | None:
    """Return the day on which RUN was sealed, in UTC; None while it is not finished."""
    if not run.sealed:
        return None
    return day_of(run.record.finished) or day_of(run.record.created)


def states_on(workspace: Workspace, runs: Sequence[Run], day: date) -> dict[str, str]:
    """Return milestone -> state after DAY: `pass`, `fail` or `not_measurable`.

    RUNS are the finished ones; those after DAY are left out. Nothing is stale here: a later change
    does not change what was known on that day. States are cached.

    Raises:
        UsageError: a claim can't be read.
    """
    finished = [run for run in runs if (end := finished_on(run)) is not None and end <= day]
    inputs = _inputs(workspace, finished)
    path = entry_path(workspace.state / "cache" / "states", states_of, inputs, libraries=["numpy"])
    states = _read(path)
    if states is None:
        states = states_of(workspace, finished)
        write_entry(path, json.dumps(states))
    return states


def _read(path: Path) -> dict[str, str] | None:
    try:
        return {
            str(name): str(state) for name, state in json.loads(read_entry(path) or b"").items()
        }
    except (ValueError, AttributeError):
        return None


def states_of(workspace: Workspace, runs: Sequence[Run]) -> dict[str, str]:
    """Return milestone -> state, checked against RUNS alone, none of them taken as stale."""
    store = _PastStore(workspace, runs)
    examiner = Examiner(store)
    examiner.facts = _UnchangedFacts(store)
    return {
        name: examiner.check(milestone).state for name, milestone in workspace.milestones.items()
    }


def _inputs(workspace: Workspace, runs: Sequence[Run]) -> list[str]:
    """Return the texts that make up the cache key of the states: all that they depend on."""
    labels = {label: run.id for run in runs for label in run.labels}
    return [
        repr(sorted(workspace.milestones.items())),
        repr(sorted(workspace.cited.items())),
        repr(sorted(labels.items())),
        *(f"{run.id} {run.seal} {run.has_matches}" for run in runs),
    ]


class _PastStore(Store):
    """A store that holds the given runs only."""

    def __init__(self, workspace: Workspace, runs: Sequence[Run]) -> None:
        super().__init__(workspace)
        self._finished = tuple(runs)

    def runs(self, experiment: str | None = None) -> list[Run]:
        return [run for run in self._finished if experiment in (None, run.experiment)]


class _UnchangedFacts(Facts):
    """Facts about runs of which none counts as changed."""

    def changes(self, run: Run, metric: str) -> tuple[ProvenanceChange, ...]:
        del run, metric
        return ()

    def rewritten(self, run: Run, metric: str) -> tuple[str, ...]:
        del run, metric
        return ()
