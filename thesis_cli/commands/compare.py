"""`thesis compare`: runs side by side, with the uncertainty of their differences."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from featherface.errors import UsageError, unknown
from thesis_cli.completion import complete_run
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import emit, json_option, width, write
from thesis_cli.run_and_sync import synchronise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.comparison.result import Comparison
    from experiments.records.run import Run
    from experiments.workspace.milestones import CitedResult
    from experiments.workspace.workspace import Workspace
    from thesis_cli.session import Session

FORMATS = ("table", "md", "latex", "csv", "json")
"""`table` and the writers of `experiments.wording.tables.FORMATS` (a test keeps the two equal)."""
PROSE = ("md", "latex")
"""Formats that hold several tables one after the other."""
FIELD = "field"
"""What `--cited` calls every published result at once."""


@click.command(cls=Command)
@click.argument("selectors", nargs=-1, required=True, shell_complete=complete_run)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="table", help="How to print it."
)
@click.option("--to", type=click.Choice(["vault"]), help="Write it into the comparison chapter.")
@click.option(
    "--only-changed", is_flag=True, help="Only metrics and settings that are not equal everywhere."
)
@click.option(
    "--cited", "named", multiple=True, metavar="NAME", help="Show a cited result too; field: all."
)
@click.option(
    "--resamples",
    type=click.IntRange(0, 100_000),
    default=1000,
    show_default=True,
    help="Resamples of the images; 0 for none.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the resamples."
)
@click.option(
    "--plots",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Draw the Pareto fronts and the precision-recall curves into DIR.",
)
@click.option(
    "--curves",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Published curves (wider_pr_info_*.mat) to draw beside those of the runs.",
)
@click.option("--force", is_flag=True, help="Compare across protocols or data, and say so.")
@click.option("--verbose", is_flag=True, help="Name the metrics' keys too.")
@json_option
@pass_session
def compare(  # noqa: PLR0913 - one parameter per option
    session: Session,
    *,
    selectors: tuple[str, ...],
    form: str,
    to: str | None,
    only_changed: bool,
    named: tuple[str, ...],
    resamples: int,
    seed: int,
    plots: Path | None,
    curves: Path | None,
    force: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Compare runs, metric by metric.

    Differences are to the first run, with 95 % intervals where the runs kept match records of
    the same images; a star marks one that stays after Holm's correction. What was published of
    these networks and what was aimed at stand beside.
    """
    workspace = session.workspace
    comparison = compared(workspace, selectors, named, force=force, resamples=resamples, seed=seed)
    if curves and not plots:
        raise UsageError("--curves gives curves to draw", "add --plots DIR, where to draw them")
    drawn = draw(session, comparison, plots, curves) if plots else []
    if only_changed:
        comparison = dataclasses.replace(
            comparison, rows=tuple(row for row in comparison.rows if row.changed)
        )
    synced = synchronise(session, workspace, comparison) if to else None
    if as_json or form == "json":
        session.as_json = True
        answer = {**comparison.to_json(), "plots": drawn}
        emit(session, "compare", answer, lambda _: [])
    else:
        show(session, comparison, form, settings=only_changed, verbose=verbose)
        for path in drawn:
            session.note(f"drawn: {path}")
    if synced and synced.error:
        raise synced.error


def compared(
    workspace: Workspace,
    selectors: Sequence[str],
    named: Sequence[str] = (),
    *,
    force: bool = False,
    resamples: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare the runs that SELECTORS name, with what is cited of them and aimed at beside."""
    from experiments.claims.candidate_runs import evidence_run, measured_elsewhere
    from experiments.comparison.compare import check_sealed
    from experiments.comparison.compare import compare as set_side_by_side
    from experiments.records.store import Store

    store = Store(workspace)
    selections = [evidence_run(store, selector) for selector in selectors]
    runs = [selection.run for selection in selections]
    ids = [run.id for run in runs]
    if twice := next((name for name in ids if ids.count(name) > 1), None):
        raise UsageError(f"{twice} is named twice among {', '.join(selectors)}", "thesis runs list")
    check_sealed(runs, store)
    beside = references(workspace, runs, named)
    return set_side_by_side(
        runs,
        references=beside,
        store=store,
        force=force,
        resamples=resamples,
        seed=seed,
        choice=[
            note
            for selection in selections
            for note in (*selection.notes, *measured_elsewhere(store, selection))
        ],
    )


def references(
    workspace: Workspace, runs: Sequence[Run], named: Sequence[str]
) -> list[CitedResult]:
    """Gather what was published of the runs' networks, what is NAMED, and what was aimed at."""
    from experiments.comparison.compare import published_for, targets_of

    known = workspace.cited
    chosen = {result.name: result for result in published_for(runs, known)}
    for name in named:
        if name == FIELD:
            chosen |= {key: result for key, result in known.items() if result.evidence == "cited"}
        elif name in known:
            chosen[name] = known[name]
        else:
            raise UsageError(
                unknown("cited result", name, [FIELD, *known]),
                f"write it into {workspace.root / 'thesis.toml'}: [cited.{name}]",
            )
    return list((chosen | {result.name: result for result in targets_of(runs, known)}).values())


def show(
    session: Session, comparison: Comparison, form: str, *, settings: bool, verbose: bool
) -> None:
    """Print a comparison as FORM wants it: for the terminal, or as tables of a document."""
    from experiments.comparison.tables import settings_table, tables
    from experiments.wording.formats import FORMATS as WRITERS
    from thesis_cli.views.comparison import comparison_blocks

    if form == "table":
        columns = width(session.stdout or sys.stdout)
        blocks = comparison_blocks(comparison, columns, settings=settings, verbose=verbose)
        emit(session, "compare", blocks, lambda data: data)
        differing = len(settings_table(comparison).rows)
        if differing and not settings:
            session.note(f"settings that differ: {differing}; see them: --only-changed")
        return
    language = session.document_language
    shown = tables(comparison, language, settings=settings)
    kept = shown if form in PROSE else shown[:1]
    write(session, "\n".join(WRITERS[form](table, language) for table in kept).rstrip())


def draw(session: Session, comparison: Comparison, folder: Path, curves: Path | None) -> list[Path]:
    """Draw every picture that this comparison allows into FOLDER."""
    from experiments.plotting.comparison_plots import draw_comparison
    from experiments.plotting.published_curves import read_curves
    from featherface.filesystem.atomic import write_atomic

    workspace = session.workspace
    published = read_curves(curves) if curves else {}
    pictures, warnings = draw_comparison(
        comparison, workspace.cited.values(), published, session.document_language
    )
    for warning in warnings:
        session.warn(warning)
    for name, content in pictures.items():
        write_atomic(folder / f"{name}.png", content)
    return [folder / f"{name}.png" for name in pictures]
