"""A comparison as tables: the metrics, the training seeds, the settings that differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from experiments.comparison.result import Comparison, Delta, Row, ends_of
from experiments.metrics import AP_METRICS, kind
from experiments.wording.phrases import say
from experiments.wording.tables import Cell, Number, Table

if TYPE_CHECKING:
    from experiments.comparison.seed_statistics import SeedGroup

NAMES = frozenset({"name", "title", "hypothesis", "tags"})
"""Keys of a recipe that change nothing in what is computed."""


def tables(comparison: Comparison, language: str = "en", *, settings: bool = False) -> list[Table]:
    """Return the table of metrics, that of seeds where there are several, and the SETTINGS."""
    found = [metrics_table(comparison, language)]
    if any(len(group.runs) > 1 for group in comparison.seeds):
        found.append(seeds_table(comparison, language))
    if settings and comparison.recipe:
        found.append(settings_table(comparison, language))
    return found


def metrics_table(comparison: Comparison, language: str = "en") -> Table:
    """Return one row per metric: values, differences from the first run, how sure, what is cited.

    A column says in which share of the resamples a run beats the first one, where AP was
    resampled.
    """
    first, others = comparison.runs[0].id, comparison.runs[1:]
    sure = comparison.bootstrap is not None
    columns = [say("column.metric", language), *(run.id for run in comparison.runs)]
    columns += [f"Δ {run.id} − {first}" for run in others]
    columns += [f"P({run.id} > {first})" for run in others] if sure else []
    columns += [
        _heading(one.titled(language), one.evidence, language) for one in comparison.references
    ]
    ids = ", ".join(run.id for run in comparison.runs)
    return Table(
        title=say("comparison.title", language, runs=ids),
        columns=tuple(columns),
        rows=tuple(_cells(row, language, sure=sure) for row in comparison.rows),
        notes=tuple(note.text(language) for note in comparison.notes),
        provenance=tuple(f"{run.id} seal {run.seal}" for run in comparison.runs),
        numeric=frozenset(range(1, len(columns))),
    )


def seeds_table(comparison: Comparison, language: str = "en") -> Table:
    """Return every seed's run with its APs and, from `FEWEST` seeds on, mean and spread."""
    names = [name for name in AP_METRICS if comparison.row(name)]
    columns = [say(key, language) for key in ("seeds.experiment", "seeds.seed", "column.run")]
    columns += [kind(name).title(language) for name in names]
    rows = [row for group in comparison.seeds for row in _seed_rows(group, names, language)]
    return Table(
        title=say("seeds.title", language),
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(_about_seeds(comparison, language)),
        provenance=tuple(
            f"{run.id} seal {run.seal}" for group in comparison.seeds for run in group.runs
        ),
        numeric=frozenset(range(3, len(columns))),
    )


def settings_table(comparison: Comparison, language: str = "en") -> Table:
    """Return one row per key of the recipe that the runs don't share."""
    rows = [
        (key, *(_setting(value) for value in values))
        for key, values in comparison.recipe.items()
        if key not in NAMES
    ]
    columns = (say("comparison.setting", language), *(run.id for run in comparison.runs))
    return Table(title=say("comparison.settings", language), columns=columns, rows=tuple(rows))


def _heading(title: str, evidence: str, language: str) -> str:
    return say("comparison.cited", language, title=title) if evidence == "cited" else title


def _cells(row: Row, language: str, *, sure: bool) -> tuple[Cell, ...]:
    spec = row.spec
    measured: list[Cell] = [
        Number(metric.value, spec, *ends_of(interval)) if metric else None
        for metric, interval in zip(row.metrics, row.intervals, strict=True)
    ]
    others = row.deltas[1:]
    changes = [_change(delta, spec) for delta in others]
    chances = [_chance(delta) for delta in others] if sure else []
    cited: list[Cell] = [Number(one.value, spec) if one else None for one in row.references]
    return (row.title(language), *measured, *changes, *chances, *cited)


def _change(delta: Delta | None, spec: str) -> Cell:
    if delta is None:
        return None
    shown = spec.replace("%", "p")  # 80 % and 82 % differ by 2 points, not by 2 %
    sign = "+" if delta.value else ""
    return Number(delta.value, f"{sign}{shown}", *ends_of(delta.interval), mark=delta.mark)


def _chance(delta: Delta | None) -> Cell:
    known = delta is not None and delta.probability is not None
    return Number(delta.probability or 0.0, ".1%") if delta and known else None


def _seed_rows(group: SeedGroup, names: list[str], language: str) -> list[tuple[Cell, ...]]:
    lines: list[tuple[Cell, ...]] = [
        (
            group.experiment,
            str(run.record.seed),
            run.id,
            *(Number(one.value, ".1%") if (one := run.metric(name)) else None for name in names),
        )
        for run in group.runs
    ]
    if group.enough:
        means: list[Cell] = []
        for name in names:
            found = group.summary(name)
            means.append(Number(found.mean, ".1%", found.low, found.high) if found else None)
        label = say("seeds.mean", language, n=len(group.runs))
        lines.append((group.experiment, label, "", *means))
    return lines


def _about_seeds(comparison: Comparison, language: str) -> list[str]:
    """Say what may be claimed over seeds, and what may not."""
    few = [group.experiment for group in comparison.seeds if not group.enough]
    told = [say("seeds.few", language, runs=", ".join(dict.fromkeys(few)))] if few else []
    if any(group.enough for group in comparison.seeds):
        told.append(say("seeds.enough", language))
    first, *others = comparison.seeds
    for other in others:
        for name in (name for name in AP_METRICS if comparison.row(name)):
            found = other.less(first, name)
            if found is not None:
                values = {"one": other.experiment, "other": first.experiment}
                numbers = _points(found.mean, found.low, found.high, language)
                metric = kind(name).title(language)
                told.append(say("seeds.less", language, metric=metric, **values, **numbers))
    return told


def _points(value: float, low: float, high: float, language: str) -> dict[str, str]:
    shown = {
        "value": Number(value, "+.1p"),
        "low": Number(low, "+.1p"),
        "high": Number(high, "+.1p"),
    }
    return {name: one.text(language) for name, one in shown.items()}


def _setting(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
