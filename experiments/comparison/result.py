"""What a comparison of runs found: rows of metrics, differences, and what must be said of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.metrics import MARKS
from experiments.wording.phrases import Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.comparison.seed_statistics import SeedGroup
    from experiments.comparison.statistics import Bootstrap, Interval
    from experiments.metrics import Metric
    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult

ALPHA = 0.05
"""Level at which a difference is called established."""
REASONS = {
    "unmeasured": "one of the two runs has no such value",
    "check": "the value tells whether a file was written right: more or less of it means nothing",
    "disturbed": "one of the two was taken on a machine that was not left alone",
    "overlap": "one of the two was taken on pictures that the network was trained on",
    "conditions": "the two values were not taken on the same data under the same conditions",
}
"""Why a run has no difference from the first one."""


@dataclass(frozen=True)
class Delta:
    """How a run differs from the first one."""

    value: float
    """This run's minus the first one's."""
    interval: Interval | None = None
    probability: float | None = None
    """Share of image resamples in which this run beats the first one."""
    p: float | None = None
    """Two-sided P value over the images, of this difference alone."""
    holm: float | None = None
    """The same, corrected for all differences of the comparison."""
    relative: bool = True
    """Whether it may be given as a share of the first run's value."""

    @property
    def established(self) -> bool | None:
        """Whether it is other than zero after the correction; None where nothing was resampled."""
        return None if self.holm is None else self.holm <= ALPHA


@dataclass(frozen=True)
class ComparisonRow:
    """One metric across all columns."""

    name: str
    metrics: tuple[Metric | None, ...]
    """One per run, in order."""
    intervals: tuple[Interval | None, ...]
    deltas: tuple[Delta | None, ...]
    """One per run; the first is None."""
    references: tuple[Metric | None, ...] = ()
    """One per cited or planned result."""

    @property
    def changed(self) -> bool:
        """Whether the runs don't all have the same value."""
        return len({metric.value if metric else None for metric in self.metrics}) > 1


@dataclass(frozen=True)
class ComparisonNote(Sentence):
    """A caveat or explanation below the comparison, in either language."""

    TABLE = "note"


@dataclass(frozen=True)
class Comparison:
    """The result of `compare`: one row per metric, with the notes a reader needs."""

    runs: tuple[Run, ...]
    references: tuple[CitedResult, ...]
    rows: tuple[ComparisonRow, ...]
    notes: tuple[Sentence, ...]
    recipe: Mapping[str, tuple[Any, ...]]
    """Dotted recipe key -> value per run, of the keys that differ."""
    bootstrap: Bootstrap | None = None
    seeds: tuple[SeedGroup, ...] = ()
    """One per run: the trainings that differ from it by their seed only, itself among them."""

    def row(self, name: str) -> ComparisonRow | None:
        """Return the row of metric NAME, or None."""
        return next((row for row in self.rows if row.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values in full precision."""
        return {
            "runs": [
                {"run": run.id, "seal": run.seal, "title": run.record.title} for run in self.runs
            ],
            "references": [
                {
                    "name": result.name,
                    "title": result.title,
                    "evidence": result.evidence,
                    "source": result.source,
                    "protocol": result.protocol,
                    "conditions": result.conditions.to_json(),
                }
                for result in self.references
            ],
            "rows": [_row_json(self, row) for row in self.rows],
            "recipe": {key: list(values) for key, values in self.recipe.items()},
            "seeds": [group.to_json() for group in self.seeds],
            "notes": [note.text() for note in self.notes],
            "bootstrap": self.bootstrap
            and {"resamples": self.bootstrap.resamples, "seed": self.bootstrap.seed},
        }


def _row_json(comparison: Comparison, row: ComparisonRow) -> dict[str, Any]:
    runs = zip(comparison.runs, row.metrics, row.intervals, row.deltas, strict=True)
    cited = zip(comparison.references, row.references, strict=True)
    return {
        "metric": row.name,
        "values": {
            run.id: _value_json(metric, interval, delta, reason_against(row.metrics[0], metric))
            for run, metric, interval, delta in runs
            if metric
        },
        "references": {result.name: metric.value for result, metric in cited if metric},
    }


def reason_against(first: Metric | None, this: Metric | None) -> str:
    """Return why THIS has no difference from FIRST, a key of REASONS; empty where it has."""
    if first is None or this is None:
        return "unmeasured"
    if first.name.endswith("parity"):
        return "check"
    if mark := next((mark for mark in MARKS if mark in (*first.marks, *this.marks)), ""):
        return mark
    same = first.context == this.context and first.fingerprint == this.fingerprint
    return "" if same and (first.n == this.n or not first.dataset) else "conditions"


def _value_json(
    metric: Metric, interval: Interval | None, delta: Delta | None, reason: str
) -> dict[str, Any]:
    values = {**metric.to_json(), "low": None, "high": None, "delta": None}
    if reason:
        values["reason"] = reason
    if interval is not None:
        values["low"], values["high"] = ends_of(interval)
    if delta is not None:
        low, high = ends_of(delta.interval)
        values["delta"] = {
            "value": delta.value,
            "low": low,
            "high": high,
            "probability": delta.probability,
            "p": delta.p,
            "holm": delta.holm,
            "established": delta.established,
        }
        if not delta.relative:
            values["delta"]["relative"] = False
    return values


def excludes_zero(low: float | None, high: float | None) -> bool:
    """Whether an interval lies on one side of zero; one that touches it does not."""
    return low is not None and high is not None and (low > 0 or high < 0)


def ends_of(interval: Interval | None) -> tuple[float | None, float | None]:
    """Return both ends of INTERVAL; None twice where there is none, or it is undefined."""
    if interval is None or interval.low != interval.low:
        return (None, None)
    return (interval.low, interval.high)
