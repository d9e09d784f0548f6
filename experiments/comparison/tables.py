"""A comparison as the tables that a terminal and a document show: metrics, seeds, settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from experiments.comparison.recipe_differences import tabled
from experiments.comparison.seed_table import seed_table
from experiments.comparison.table import lines
from experiments.disturbances import marks_text
from experiments.metrics import kind
from experiments.number_formats import difference_format, number_format
from experiments.wording.catalogue import find
from experiments.wording.phrases import say
from experiments.wording.tables import Cell, NumberCell, Table

if TYPE_CHECKING:
    from experiments.comparison.result import Comparison
    from experiments.comparison.seed_table import SeedLine, SeedTable
    from experiments.comparison.table import ComparisonLine, Difference, Value
    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult


def tables(comparison: Comparison, language: str = "en", *, settings: bool = False) -> list[Table]:
    """Return the table of metrics, that of seeds where there are several, and the SETTINGS."""
    chosen = [metrics_table(comparison, language)]
    if any(len(group.runs) > 1 for group in comparison.seeds):
        chosen.append(seeds_table(comparison, language))
    if settings and tabled(comparison.recipe):
        chosen.append(settings_table(comparison, language))
    return chosen


def metrics_table(comparison: Comparison, language: str = "en") -> Table:
    """Return one row per metric: values, differences from the first run, how sure, what is cited.

    A column says in which share of the resamples a run beats the first one, where AP was
    resampled.
    """
    first, others = comparison.runs[0].id, comparison.runs[1:]
    sure = comparison.bootstrap is not None
    columns = [say("column.metric", language)]
    columns += [run_heading(run, language) for run in comparison.runs]
    columns += [f"Δ {run.id} − {first}" for run in others]
    columns += [f"P({run.id} > {first})" for run in others] if sure else []
    columns += [reference_heading(result, language) for result in comparison.references]
    ids = ", ".join(run.id for run in comparison.runs)
    return Table(
        title=say("comparison.title", language, runs=ids),
        columns=tuple(columns),
        rows=tuple(
            _cells(line, [result.name for result in comparison.references], language, sure=sure)
            for line in lines(comparison.to_json()["rows"], [run.id for run in comparison.runs])
        ),
        notes=tuple(note.text(language) for note in comparison.notes),
        provenance=tuple(f"{run.id} seal {run.seal}" for run in comparison.runs),
        numeric=frozenset(range(1, len(columns))),
    )


def seeds_table(comparison: Comparison, language: str = "en") -> Table:
    """Return every seed's run with its APs and, from `FEWEST` seeds on, mean and spread."""
    seeds = seed_table(comparison.seeds)
    columns = [say(key, language) for key in ("seeds.experiment", "seeds.seed", "column.run")]
    columns += [kind(name).title(language) for name in seeds.metrics]
    runs = [line.run for line in seeds.lines if line.run]
    return Table(
        title=say("seeds.title", language),
        columns=tuple(columns),
        rows=tuple(_seed_cells(line, seeds.metrics, language) for line in seeds.lines),
        notes=tuple(_about_seeds(seeds, language)),
        provenance=tuple(f"{run.id} seal {run.seal}" for run in runs),
        numeric=frozenset(range(3, len(columns))),
    )


def settings_table(comparison: Comparison, language: str = "en") -> Table:
    """Return one row per key of the recipe that the runs don't share."""
    rows = [
        (key, *(_setting(value) for value in values))
        for key, values in tabled(comparison.recipe).items()
    ]
    columns = (say("comparison.setting", language), *(run.id for run in comparison.runs))
    return Table(title=say("comparison.settings", language), columns=columns, rows=tuple(rows))


def run_heading(run: Run, language: str) -> str:
    """Return the run's id, and who made its predictions where its network did not."""
    return (
        say("comparison.imported", language, run=run.id, maker=run.maker) if run.maker else run.id
    )


def reference_heading(result: CitedResult, language: str) -> str:
    """Return the title of a cited or planned result, and that it was published."""
    title = result.titled(language)
    return say("comparison.cited", language, title=title) if result.evidence == "cited" else title


def _cells(
    line: ComparisonLine, cited: list[str], language: str, *, sure: bool
) -> tuple[Cell, ...]:
    title = kind(line.metric).title(language)
    beside = find("unit", line.unit, language)
    return (
        f"{title} ({beside})" if beside else title,
        *(value_cell(value, line, language) for value in line.values),
        *(difference_cell(difference, line) for difference in line.differences),
        *(_chance(difference) for difference in line.differences if sure),
        *(value_cell(line.references.get(reference), line, language) for reference in cited),
    )


def value_cell(value: Value | None, line: ComparisonLine, language: str) -> Cell:
    """Return a value of LINE with its interval and marks; None for none."""
    return _value(value, line.metric, line.unit, language)


def _value(value: Value | None, name: str, unit: str, language: str) -> Cell:
    if value is None:
        return None
    spec = number_format(name, unit, value=value.number)
    note = marks_text(value.marks, language)
    return NumberCell(value.number, spec, value.low, value.high, note=note)


def difference_cell(difference: Difference, line: ComparisonLine) -> Cell:
    """Return a difference of LINE with its interval and mark; None where there is none."""
    if difference.number is None:
        return None
    spec = difference_format(line.metric, line.unit, value=difference.number)
    return NumberCell(
        difference.number,
        spec,
        difference.low,
        difference.high,
        mark=difference.mark,
        share=difference.share,
    )


def _chance(difference: Difference) -> Cell:
    return None if difference.chance is None else NumberCell(difference.chance, ".1%")


def _seed_cells(line: SeedLine, names: tuple[str, ...], language: str) -> tuple[Cell, ...]:
    run = line.run
    seed = str(run.record.seed) if run else say("seeds.mean", language, n=line.count)
    values = (
        _value(value, name, "", language) for name, value in zip(names, line.values, strict=True)
    )
    return (line.experiment, seed, run.id if run else "", *values)


def _about_seeds(seeds: SeedTable, language: str) -> list[str]:
    """Say what may be claimed over seeds, and what may not."""
    notes = [say("seeds.few", language, runs=", ".join(seeds.few))] if seeds.few else []
    notes += [say("seeds.enough", language)] if seeds.enough else []
    for other in seeds.differences:
        values = {"one": other.experiment, "other": other.base}
        for name, difference in zip(seeds.metrics, other.values, strict=True):
            if difference is not None:
                metric = kind(name).title(language)
                notes.append(
                    say(
                        "seeds.less",
                        language,
                        metric=metric,
                        **values,
                        **_points(difference, language),
                    )
                )
    return notes


def _points(difference: Value, language: str) -> dict[str, str]:
    ends = {
        "value": difference.number,
        "low": difference.low or 0.0,
        "high": difference.high or 0.0,
    }
    return {key: NumberCell(end, "+.1p").text(language) for key, end in ends.items()}


def _setting(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
