"""What `thesis compare` prints: values and differences side by side, the rest in tables below."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from experiments.comparison.table import lines
from experiments.comparison.tables import (
    difference_cell,
    reference_heading,
    run_heading,
    seeds_table,
    settings_table,
    value_cell,
)
from experiments.wording.catalogue import find
from experiments.wording.phrases import say
from experiments.wording.tables import ABSENT, NumberCell, plain
from thesis_cli.grid import Grid
from thesis_cli.language import TERMINAL
from thesis_cli.views.metric_titles import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.comparison.result import Comparison, ComparisonRow
    from experiments.comparison.table import ComparisonLine, Difference
    from experiments.wording.tables import Cell, Table
    from thesis_cli.output import Block

Line = tuple[str, "ComparisonLine"]
"""A metric's name in words, and its values."""
DIFFERENCE = "difference"


def comparison_blocks(
    comparison: Comparison, columns: int | None, *, settings: bool = False, verbose: bool = False
) -> Iterator[Block]:
    """Yield what to print of COMPARISON on a terminal of COLUMNS.

    Values and differences; the intervals of those that have some; what was published and aimed at;
    seeds; SETTINGS that differ; at last what a reader must know. VERBOSE: the keys of the metrics.
    """
    ids = [run.id for run in comparison.runs]
    found = lines(comparison.to_json()["rows"], ids)
    told = [(named(row, line.unit), line) for row, line in zip(comparison.rows, found, strict=True)]
    yield wrapped(say("comparison.title", TERMINAL, runs=", ".join(ids)), columns)
    if len(ids) > 1:
        yield f"Differences are from {ids[0]}."
    yield ""
    yield values_grid(comparison, told, verbose=verbose)
    for block in (intervals_grid(comparison, told), references_grid(comparison, told)):
        if block is not None:
            yield from ("", block)
    if any(len(group.runs) > 1 for group in comparison.seeds):
        yield from table_blocks(seeds_table(comparison, TERMINAL), columns)
    if settings and (differing := settings_table(comparison, TERMINAL)).rows:
        yield from table_blocks(differing, columns)
    if comparison.notes:
        yield ""
    for note in comparison.notes:
        yield wrapped(note.text(TERMINAL), columns)


def named(row: ComparisonRow, unit: str) -> str:
    """Return the metric's name with its score and its unit, where values don't show it."""
    title = title_of(row.name, [metric.conditions for metric in row.metrics if metric])
    beside = find("unit", unit, TERMINAL)
    return f"{title} ({beside})" if beside else title


def values_grid(comparison: Comparison, told: Sequence[Line], *, verbose: bool) -> Grid:
    """Put every run's values beside each other, each with its difference from the first run."""
    columns = ["metric"]
    for place, run in enumerate(comparison.runs):
        columns.append(f">{run_heading(run, TERMINAL)}")
        if place:  # of several, each says whose it is: a narrow terminal parts columns
            columns.append(f">{DIFFERENCE}{f' of {run.id}' if len(comparison.runs) > 2 else ''}")
    columns += ["key"] if verbose else []
    cells = [
        [name, *side_by_side(line), *([line.metric] if verbose else [])] for name, line in told
    ]
    return Grid(columns, cells, keyed=True)


def side_by_side(line: ComparisonLine) -> Iterator[str]:
    """Yield each run's value, then its difference from the first run where it is another."""
    for place, value in enumerate(line.values):
        yield shown(value_cell(value, line, TERMINAL), ends=False) or ABSENT
        if place:
            yield shown(difference_cell(line.differences[place - 1], line), ends=False) or ABSENT


def intervals_grid(comparison: Comparison, told: Sequence[Line]) -> Grid | None:
    """Put the 95 % intervals beside each other, and how often a run beats the first one."""
    first, *others = (run.id for run in comparison.runs)
    columns = ["95% interval", *(f">{run.id}" for run in comparison.runs)]
    columns += [f">{DIFFERENCE} of {run}" for run in others]
    columns += [f">P({run} > {first})" for run in others]
    cells = [
        [
            name,
            *(interval(value_cell(value, line, TERMINAL)) for value in line.values),
            *(interval(difference_cell(each, line)) for each in line.differences),
            *(chance(each) for each in line.differences),
        ]
        for name, line in told
    ]
    kept = [row for row in cells if any(row[1:])]
    return Grid(columns, kept, keyed=True) if kept else None


def references_grid(comparison: Comparison, told: Sequence[Line]) -> Grid | None:
    """Put what was published and aimed at beside each other."""
    results = comparison.references
    columns = ["beside", *(f">{reference_heading(result, TERMINAL)}" for result in results)]
    cells = [
        [
            name,
            *(
                shown(value_cell(line.references.get(result.name), line, TERMINAL))
                for result in results
            ),
        ]
        for name, line in told
        if line.references
    ]
    return Grid(columns, cells, keyed=True) if cells else None


def shown(cell: Cell, *, ends: bool = True) -> str:
    """Word a cell, with its interval or without; empty for none."""
    if isinstance(cell, NumberCell) and not ends:
        return cell.alone.text(TERMINAL)
    return "" if cell is None else plain(cell, TERMINAL)


def interval(cell: Cell) -> str:
    """Word the interval of a cell; empty where it has none."""
    return cell.interval(TERMINAL) if isinstance(cell, NumberCell) else ""


def chance(difference: Difference) -> str:
    """Word in which share of the resamples the run lies above the first one."""
    return "" if difference.chance is None else NumberCell(difference.chance, ".1%").text(TERMINAL)


def table_blocks(table: Table, columns: int | None) -> list[Block]:
    """Lay out a table of another kind with its title and its notes."""
    headings = [f">{name}" if at in table.right else name for at, name in enumerate(table.columns)]
    rows = [[plain(cell, TERMINAL) for cell in row] for row in table.rows]
    notes = [wrapped(note, columns) for note in table.notes]
    return ["", table.title, "", Grid(headings, rows, keyed=True), *([""] if notes else []), *notes]


def wrapped(text: str, columns: int | None) -> str:
    """Break TEXT to COLUMNS, further lines indented; whole beyond a terminal."""
    if columns is None:
        return text
    return textwrap.fill(text, max(columns, 40), subsequent_indent="  ", break_on_hyphens=False)
