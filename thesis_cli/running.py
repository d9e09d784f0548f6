"""What `run` and `quickstart` share: one run under a progress bar, then the vault."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from thesis_cli.interrupts import stoppable
from thesis_cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.recipe import ResolvedRecipe
    from experiments.store import Run
    from experiments.workspace import Workspace
    from thesis_cli.session import Session


def execute(
    session: Session,
    workspace: Workspace,
    resolved: ResolvedRecipe,
    *,
    stages: Sequence[str] | None = None,
    mode: str = "auto",
) -> Run:
    """Run one resolved recipe; the first Ctrl-C leaves it resumable."""
    from experiments import runner

    with progress(session) as reporter, stoppable() as should_stop:
        return runner.run(
            workspace,
            resolved,
            stages=stages,
            mode=mode,
            argv=["thesis", *sys.argv[1:]],
            on_progress=reporter,
            should_stop=should_stop,
            on_message=reporter.say,
        )


def synchronise(session: Session, workspace: Workspace) -> dict[str, Any]:
    """Bring the vault up to date; conflicts are told and left to the student."""
    from vault_sync.sync import sync

    report = sync(workspace)
    answer = tell(report)
    for each in (*report.conflicts, *report.refused):
        session.warn(f"vault: {each}")
    return answer


def tell(report: Any) -> dict[str, Any]:
    """Reduce a sync report to lists of paths, reasons apart."""
    return {
        "written": [str(each) for each in report.written],
        "unchanged": [str(each) for each in report.unchanged],
        "conflicts": [str(each) for each in report.conflicts],
        "refused": [str(each) for each in report.refused],
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
