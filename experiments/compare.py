"""Setting runs side by side: metrics, differences, how sure they are, and what was aimed at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.metrics import KINDS, LATENCIES, Metric, kind
from experiments.tables import Cell, Number, Table
from experiments.wording import say
from featherface.errors import ClaimFalseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from experiments.milestones import CitedResult
    from experiments.statistics import Bootstrap, Interval
    from experiments.store import Run, Store

SPECS = {"fraction": ".1%", "parameters": ",", "MACs": ".2G", "ms": ".1f", "MB": ".2f"}
SUBSETS = {
    "widerface.easy.ap": "easy",
    "widerface.medium.ap": "medium",
    "widerface.hard.ap": "hard",
    "widerface.mean_ap": "mean",
}
"""Metrics whose uncertainty the match records tell."""
FORCE = "compare runs of one data set and protocol, or add --force to see them side by side"


@dataclass(frozen=True)
class Delta:
    """How a run differs from the first one."""

    value: float
    """This run's minus the first one's."""
    interval: Interval | None = None
    probability: float | None = None
    """Share of image resamples in which this run beats the first one."""


@dataclass(frozen=True)
class Row:
    """One metric across all columns."""

    name: str
    metrics: tuple[Metric | None, ...]
    """One per run, in order."""
    intervals: tuple[Interval | None, ...]
    deltas: tuple[Delta | None, ...]
    """One per run; the first is None."""
    references: tuple[Metric | None, ...] = ()
    """One per cited or planned result."""

    def title(self, language: str = "en") -> str:
        """Return the metric's title in LANGUAGE, with the unit that its numbers don't carry."""
        unit = {"ms": "ms", "MB": "Mo" if language == "fr" else "MB"}.get(self.unit)
        title = kind(self.name).title(language)
        return f"{title} ({unit})" if unit else title

    @property
    def unit(self) -> str:
        """The unit of the row's values."""
        known = next((one for one in (*self.metrics, *self.references) if one), None)
        return known.unit if known else kind(self.name).unit

    @property
    def spec(self) -> str:
        """How tables print it."""
        return SPECS.get(self.unit, ".2e" if self.name.endswith("parity") else ".4g")


@dataclass(frozen=True)
class Note:
    """A sentence that a reader of the table must know, in either language."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """Return the sentence in LANGUAGE."""
        return say(self.code, language, **self.values)


@dataclass(frozen=True)
class Comparison:
    """What `compare` found."""

    runs: tuple[Run, ...]
    references: tuple[CitedResult, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...]
    recipe: Mapping[str, tuple[Any, ...]]
    """Dotted recipe key -> value per run, of the keys that differ."""
    bootstrap: Bootstrap | None = None

    def row(self, name: str) -> Row | None:
        """Return the row of metric NAME, or None."""
        return next((row for row in self.rows if row.name == name), None)

    def table(self, language: str = "en") -> Table:
        """Return the table that every format is written from."""
        return _table(self, language)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain values in full precision."""
        return {
            "runs": [
                {"run": run.id, "seal": run.seal, "title": run.record.title} for run in self.runs
            ],
            "references": [
                {
                    "name": one.name,
                    "title": one.title,
                    "evidence": one.evidence,
                    "source": one.source,
                }
                for one in self.references
            ],
            "rows": [_row_json(self, row) for row in self.rows],
            "recipe": {key: list(values) for key, values in self.recipe.items()},
            "notes": [note.text() for note in self.notes],
            "bootstrap": self.bootstrap
            and {"resamples": self.bootstrap.resamples, "seed": self.bootstrap.seed},
        }


def compare(
    runs: Sequence[Run],
    *,
    references: Iterable[CitedResult] = (),
    store: Store | None = None,
    force: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare RUNS with the first of them, and show REFERENCES beside.

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
    _check_sealed(chosen, store)
    mixed = _mixtures(chosen)
    if mixed and not force:
        raise UsageError(mixed[0].text(), FORCE)
    bootstrap = None if mixed else _bootstrap(chosen, resamples, seed)
    shown = tuple(references)
    rows = tuple(_row(name, chosen, shown, bootstrap) for name in _names(chosen))
    notes = (*mixed, *_about_data(chosen), *_about_machines(chosen), *_about_chance(bootstrap))
    return Comparison(chosen, shown, rows, notes, _recipe_differences(chosen), bootstrap)


def aims_of(runs: Iterable[Run], cited: Mapping[str, CitedResult]) -> tuple[CitedResult, ...]:
    """Return what was planned for the experiments of RUNS: `v2-plan` for `v2`."""
    names = dict.fromkeys(f"{run.experiment}-plan" for run in runs)
    return tuple(cited[name] for name in names if name in cited)


def _check_sealed(runs: Sequence[Run], store: Store | None) -> None:
    from experiments.seal import verify  # noqa: PLC0415 - hides behind the store elsewhere

    for run in runs:
        if not run.sealed:
            raise ClaimFalseError(
                f"{run.id} is {run.status}: only finished runs can be compared",
                f"thesis run {run.experiment} --resume",
            )
        problems = store.problems(run) if store else verify(run.folder)
        if problems:
            raise ClaimFalseError(
                f"the sealed record of {run.id} was changed: {problems[0]}",
                "restore the file from a backup, or run the experiment again; "
                "see: thesis runs verify",
            )


def _mixtures(runs: Sequence[Run]) -> list[Note]:
    """Return one note for each way in which the runs' evaluations can't be set side by side."""
    first = next((run for run in runs if _context(run)), None)
    if first is None:
        return []
    one = _context(first)
    notes = []
    for run in runs:
        other = _context(run)
        if other and other != one:
            values = {"one": first.id, "other": run.id}
            for name in ("dataset", "split", "protocol", "complete", "images", "fingerprint"):
                if one[name] != other[name]:
                    pair = {"first": one[name], "second": other[name]}
                    notes.append(Note(f"mixed-{name}", values | pair))
                    break
    return notes


def _context(run: Run) -> dict[str, Any]:
    """Return what AP was measured on; empty where the run has none."""
    metric = next((one for one in run.metrics if one.name in SUBSETS), None)
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
    from experiments.statistics import paired_bootstrap  # noqa: PLC0415 - numpy

    return paired_bootstrap(present, resamples=resamples, seed=seed)


def _names(runs: Sequence[Run]) -> list[str]:
    """Return the metrics that any run has, known ones first and in their order."""
    found = dict.fromkeys(metric.name for run in runs for metric in run.metrics)
    return [name for name in KINDS if name in found] + [name for name in found if name not in KINDS]


def _row(
    name: str,
    runs: Sequence[Run],
    references: Sequence[CitedResult],
    bootstrap: Bootstrap | None,
) -> Row:
    metrics = tuple(run.metric(name) for run in runs)
    subset = SUBSETS.get(name, "") if bootstrap else ""
    known = bootstrap is not None and subset in bootstrap.values
    intervals = tuple(
        bootstrap.interval(at, subset) if bootstrap and known and metric else None
        for at, metric in enumerate(metrics)
    )
    deltas = tuple(
        _delta(at, metrics, subset if known else "", bootstrap) for at in range(len(metrics))
    )
    context = next((metric.context for metric in metrics if metric), None)
    cited = tuple(_comparable(one.metric(name), context) for one in references)
    return Row(name, metrics, intervals, deltas, cited)


def _delta(
    at: int, metrics: Sequence[Metric | None], subset: str, bootstrap: Bootstrap | None
) -> Delta | None:
    first, this = metrics[0], metrics[at]
    if at == 0 or first is None or this is None or not _alike(first, this):
        return None
    value = this.value - first.value
    if bootstrap is None or not subset:
        return Delta(value)
    return Delta(value, bootstrap.difference(0, at, subset), bootstrap.probability(0, at, subset))


def _alike(first: Metric, this: Metric) -> bool:
    """Whether two values were taken on the same data in the same setting, even where forced."""
    same = first.context == this.context and first.fingerprint == this.fingerprint
    return same and (first.n == this.n or not first.dataset)


def _comparable(metric: Metric | None, context: tuple[Any, ...] | None) -> Metric | None:
    if metric is None or not metric.dataset:
        return metric
    return metric if metric.context == context else None


def _about_data(runs: Sequence[Run]) -> list[Note]:
    context = next((found for run in runs if (found := _context(run))), None)
    if context is None:
        return []
    values = {"split": context["split"], "n": context["images"], "protocol": context["protocol"]}
    if context["dataset"] == "synthetic":
        return [Note("data-synthetic", values)]
    if not context["complete"]:
        return [Note("data-partial", values)]
    return [Note("data-whole", values | {"dataset": context["dataset"]})]


def _about_machines(runs: Sequence[Run]) -> list[Note]:
    """Say where and how latency was taken, or that the runs differ in it."""
    timed = [(run, one) for run in runs for one in run.metrics if one.name in LATENCIES]
    settings = dict.fromkeys(metric.protocol for _, metric in timed)
    machines = {str(run.record.hardware.get("cpu", "")) for run, _ in timed}
    notes = []
    if len(settings) == 1:
        notes.append(Note("timed", {"setting": next(iter(settings))}))
    elif settings:
        notes.append(Note("timed-differently", {"settings": " / ".join(settings)}))
    return [*notes, Note("machines")] if len(machines) > 1 else notes


def _about_chance(bootstrap: Bootstrap | None) -> list[Note]:
    if bootstrap is None:
        return []
    counts = {"resamples": bootstrap.resamples, "n": bootstrap.images, "seed": bootstrap.seed}
    return [Note("chance", counts)]


def _recipe_differences(runs: Sequence[Run]) -> dict[str, tuple[Any, ...]]:
    from experiments.recipe import flatten  # noqa: PLC0415 - all configurations

    flat = [flatten(run.recipe) for run in runs]
    names = dict.fromkeys(key for one in flat for key in one)
    rows = {key: tuple(one.get(key) for one in flat) for key in names}
    return {key: values for key, values in rows.items() if any(v != values[0] for v in values)}


def _table(comparison: Comparison, language: str) -> Table:
    first = comparison.runs[0].id
    columns = [say("metric", language), *(run.id for run in comparison.runs)]
    columns += [f"Δ {run.id} − {first}" for run in comparison.runs[1:]]
    columns += [one.titled(language) for one in comparison.references]
    rows = tuple(_cells(row, language) for row in comparison.rows)
    ids = ", ".join(run.id for run in comparison.runs)
    return Table(
        title=say("comparison-of", language, runs=ids),
        columns=tuple(columns),
        rows=rows,
        notes=tuple(note.text(language) for note in comparison.notes),
        provenance=tuple(f"{run.id} seal {run.seal}" for run in comparison.runs),
        numeric=frozenset(range(1, len(columns))),
    )


def _cells(row: Row, language: str) -> tuple[Cell, ...]:
    spec = row.spec
    measured: list[Cell] = [
        Number(metric.value, spec, *_ends(interval)) if metric else None
        for metric, interval in zip(row.metrics, row.intervals, strict=True)
    ]
    changes: list[Cell] = [_change(delta, spec) for delta in row.deltas[1:]]
    cited: list[Cell] = [Number(one.value, spec) if one else None for one in row.references]
    return (row.title(language), *measured, *changes, *cited)


def _change(delta: Delta | None, spec: str) -> Cell:
    if delta is None:
        return None
    sure = delta.interval is not None and delta.interval.excludes_zero
    shown = spec.replace("%", "p")  # 80 % and 82 % differ by 2 points, not by 2 %
    return Number(delta.value, f"+{shown}", *_ends(delta.interval), mark="*" if sure else "")


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    if interval is None or interval.low != interval.low:
        return (None, None)
    return (interval.low, interval.high)


def _row_json(comparison: Comparison, row: Row) -> dict[str, Any]:
    runs = zip(comparison.runs, row.metrics, row.intervals, row.deltas, strict=True)
    cited = zip(comparison.references, row.references, strict=True)
    return {
        "metric": row.name,
        "values": {
            run.id: _value_json(metric, interval, delta)
            for run, metric, interval, delta in runs
            if metric
        },
        "references": {one.name: metric.value for one, metric in cited if metric},
    }


def _value_json(metric: Metric, interval: Interval | None, delta: Delta | None) -> dict[str, Any]:
    found = {**metric.to_json(), "low": None, "high": None, "delta": None}
    if interval is not None:
        found["low"], found["high"] = _ends(interval)
    if delta is not None:
        low, high = _ends(delta.interval)
        found["delta"] = {
            "value": delta.value,
            "low": low,
            "high": high,
            "probability": delta.probability,
        }
    return found
