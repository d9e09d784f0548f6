"""One run under a progress bar, then the vault: shared by `run` and `quickstart`."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from experiments.running.distributed import launch_command
from featherface.errors import InterruptedRunError, ThesisError
from thesis_cli.interrupts import stoppable
from thesis_cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.comparison.result import Comparison
    from experiments.recipe.model import ResolvedRecipe
    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace
    from thesis_cli.session import Session
    from vault_sync.commands.sync import SyncReport


def execute(
    session: Session,
    workspace: Workspace,
    resolved: ResolvedRecipe,
    *,
    stages: Sequence[str] | None = None,
    skip: Sequence[str] = (),
    mode: str = "auto",
    again: str = "",
    log: bool = True,
) -> Run:
    """Run one resolved recipe; the first Ctrl-C leaves it resumable, by the command AGAIN.

    With LOG the training's progress is written into the vault while it goes on.
    """
    from experiments.running.late_stages import LateStageError
    from experiments.running.runner import run
    from featherface.filesystem.retry import patient
    from vault_sync.commands.progress_log import ProgressLog

    command = patient(command=launch_command(again)) if again else contextlib.nullcontext()
    with progress(session) as reporter, stoppable() as should_stop, command:
        recipe = resolved.recipe
        keep_log = ProgressLog(workspace, recipe.name, recipe.train.epochs, reporter.say)
        try:
            return run(
                workspace,
                resolved,
                stages=stages,
                skip=skip,
                mode=mode,
                argv=["thesis", *sys.argv[1:]],
                on_progress=reporter,
                should_stop=should_stop,
                on_message=reporter.say,
                on_epoch=keep_log if log else lambda _: None,
            )
        except InterruptedRunError as error:
            hint = launch_command(again) if again else error.hint
            raise InterruptedRunError(error.message, hint) from error
        except LateStageError as error:
            if again:
                error.hint = error.next_steps(launch_command(again))
            raise


@dataclass(frozen=True)
class Synced:
    """What became of the vault after a run; a fault there takes nothing from the run."""

    data: dict[str, Any] | None
    error: ThesisError | None = None


def synchronise(
    session: Session, workspace: Workspace, comparison: Comparison | None = None
) -> Synced:
    """Bring the vault up to date, COMPARISON in its chapter; faults are told after the answer."""
    from vault_sync.commands.sync import add_comparison, sync

    try:
        if comparison is None:
            report = sync(workspace)
        else:
            report = add_comparison(workspace, comparison.runs, comparison)
    except ThesisError as error:
        return Synced(None, error)
    for warning in report.warnings:
        session.warn(warning)
    return Synced(tell(report), report.problem)


def tell(report: SyncReport) -> dict[str, Any]:
    """Reduce a sync report to what the schema names."""
    return {
        "written": report.written,
        "unchanged": report.unchanged,
        "conflicts": report.conflicts,
        "refused": report.refused,
        "reasons": report.reasons,
        "kept": report.kept,
    }


def result(run: Run) -> dict[str, Any]:
    """Tell what a finished run measured."""
    return {
        "run": run.id,
        "experiment": run.experiment,
        "version": run.version,
        "status": run.status,
        "folder": run.folder,
        "parents": [f"{each.role}: {each.run or each.path}" for each in run.record.parents],
        "metrics": [metric.to_json() for metric in run.metrics],
    }
