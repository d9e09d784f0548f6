"""The latest run of an experiment against its baseline, the claims and a phone's limits."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from experiments.claims.checking import parse_milestone
from experiments.claims.efficiency import READINESS
from experiments.claims.predicates import metric_terms
from experiments.metrics import AP_METRICS
from featherface.errors import ThesisError
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import group
from vault_sync.reports.sections.comparison_cache import compared
from vault_sync.reports.sections.differences import side_by_side
from vault_sync.reports.sections.efficiency import (
    efficiency_table,
    published,
    readiness,
    requirements_of,
)
from vault_sync.reports.sections.milestone_cells import cells, notes_of, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.claims.checking import ClaimOutcome
    from experiments.records.run import Run
    from experiments.workspace.milestones import Milestone
    from vault_sync.rendering.page import Page
    from vault_sync.reports.sections.shared_cells import SharedNotes


def experiment_status(page: Page, run: Run) -> dict[str, object]:
    """Gather what RUN, the latest of its experiment, comes to beside its own training."""
    base = baseline_of(page, run)
    alike = base is not None and len(group([base, run], page.words)) == 1
    claims, required = _claims(page, run), requirements_of(page, run)
    notes = notes_of(page, [*claims, *required])
    sentence, demands = readiness(page, run, required, notes)
    both = [base, run] if base is not None and alike else [run]
    return {
        "base": page.run_in_prose(base) if base is not None else "",
        "measures": _measures(page, base, run) if base is not None and alike else "",
        "claim": group([run], page.words)[0].claim,
        "sure": all(member.matches() is not None for member in both),
        "efficiency": efficiency_table(page, both, base),
        "milestones": _milestones(page, run, claims, notes),
        "ready": sentence,
        "readiness": demands,
        "notes": notes.key,
    }


def baseline_of(page: Page, run: Run) -> Run | None:
    """Return the run that taught RUN, or else the one that speaks for the published baseline."""
    taught = [parent.run for parent in run.record.parents if parent.role == "teacher"]
    sources = page.sources
    sound = [each for each in sources.sound if each.experiment != run.experiment]
    teacher = next((candidate for candidate in sound if candidate.id in taught), None)
    return teacher or published([each for each in sound if each in sources.counting])


def _measures(page: Page, base: Run, run: Run) -> Safe:
    ap_rows = [row for row in compared(page, [base, run])["rows"] if row["metric"] in AP_METRICS]
    return side_by_side(page, [base, run], ap_rows, "beside_base") if ap_rows else Safe("")


def _claims(page: Page, run: Run) -> list[ClaimOutcome]:
    """Judge the claims about RUN's experiment; what a phone asks for has a table of its own."""
    outcomes = []
    for milestone in page.sources.workspace.milestones.values():
        # A claim that is mistyped, or rests on another run's damaged record, is told elsewhere.
        with contextlib.suppress(ThesisError):
            if milestone.name != READINESS and run.experiment in _named(milestone):
                outcomes.append(page.sources.judge(milestone))
    return outcomes


def _milestones(page: Page, run: Run, outcomes: Sequence[ClaimOutcome], notes: SharedNotes) -> Safe:
    words, lines = page.words, []
    for outcome in outcomes:
        state, _, why = cells(page, outcome, notes)
        lines.append([title(page, outcome), state, why])
    headers = [words.say(f"column.{key}") for key in ("milestone", "state", "why")]
    experiment = run.experiment
    return page.table("claims", headers, lines, experiment=experiment) if lines else Safe("")


def _named(milestone: Milestone) -> set[str]:
    """Return the experiments that a claim speaks of."""
    return {term.selector.partition("@")[0] for term in metric_terms(parse_milestone(milestone))}
