"""Records as pandas tables, for a notebook or a plot of one's own.

>>> from experiments.records.dataframes import history, metrics  # doctest: +SKIP
>>> metrics(Store(Workspace.find()).runs("v2"))  # doctest: +SKIP
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from experiments.conditions import Conditions
from experiments.metrics import JSON_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiments.records.run import Run

IDENTITY = ("run", "experiment", "version", "seed", "seal")


def metrics(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row for each metric of each run, with all that says what the number stands on.

    Columns: `run`, `experiment`, `version`, `seed`, `seal` (empty while unsealed), then the fields
    of `Metric` and of its conditions; `protocol` is the text that names how it was measured.
    Values are in full precision and in the metric's own unit.
    """
    rows = [
        _identity(run) | asdict(metric.conditions) | metric.to_json()
        for run in runs
        for metric in run.metrics
    ]
    fields = [name for name in JSON_KEYS if name != "conditions"]
    conditions = [name for name in Conditions.__dataclass_fields__ if name not in fields]
    return pd.DataFrame(rows, columns=pd.Index([*IDENTITY, *fields, *conditions]))


def history(run: Run, kind: str = "epoch") -> pd.DataFrame:
    """Return what RUN told while it trained: one row per event of KIND (`step`, `epoch`)."""
    return pd.DataFrame(run.events(kind)).drop(columns="kind", errors="ignore")


def _identity(run: Run) -> dict[str, object]:
    values = (run.id, run.experiment, run.version, run.record.seed, run.seal)
    return dict(zip(IDENTITY, values, strict=True))
