"""Records as pandas tables, for a notebook or a plot of one's own.

>>> from experiments.records.dataframes import history, metrics  # doctest: +SKIP
>>> metrics(Store(Workspace.find()).runs("v2"))  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from experiments.conditions import Conditions
from experiments.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiments.records.run import Run

IDENTITY = ("run", "experiment", "version", "seed", "seal")


def metrics(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row for each metric of each run, with all that says what the number stands on.

    Columns: `run`, `experiment`, `version`, `seed`, `seal` (empty while unsealed), then the fields
    of `Metric` and of its conditions. Values are in full precision and in the metric's own unit.
    """
    rows = [
        _identity(run) | metric.to_json() | asdict(metric.conditions)
        for run in runs
        for metric in run.metrics
    ]
    fields = [name for name in Metric.__dataclass_fields__ if name != "conditions"]
    columns = [*IDENTITY, *fields, *Conditions.__dataclass_fields__]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def history(run: Run, kind: str = "epoch") -> pd.DataFrame:
    """Return what RUN told while it trained: one row per event of KIND (`step`, `epoch`)."""
    return pd.DataFrame(run.events(kind)).drop(columns="kind", errors="ignore")


def _identity(run: Run) -> dict[str, object]:
    values = (run.id, run.experiment, run.version, run.record.seed, run.seal)
    return dict(zip(IDENTITY, values, strict=True))
