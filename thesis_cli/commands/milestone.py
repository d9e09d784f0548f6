"""`thesis milestone`: the claims of the thesis against what was measured."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from thesis_cli.completion import complete_milestone
from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.groups import CommandGroup, pass_session
from thesis_cli.output import emit, json_option, width
from thesis_cli.views.claims import report

if TYPE_CHECKING:
    from experiments.claims.checking import ClaimOutcome
    from experiments.claims.evidence import Observation
    from experiments.claims.margins import Margin
    from experiments.comparison.statistics import Interval
    from thesis_cli.session import Session


@click.group(cls=CommandGroup)
def milestone() -> None:
    """Check the thesis's claims."""


@milestone.command()
@click.argument("names", nargs=-1, shell_complete=complete_milestone)
@click.option("--verbose", is_flag=True, help="Say too which code changed without an effect.")
@json_option
@click.pass_context
@pass_session
def check(
    session: Session,
    context: click.Context,
    *,
    names: tuple[str, ...],
    verbose: bool,
    as_json: bool,
) -> None:
    """Check the claims against sealed runs: all, or those called NAMES.

    pass, fail, stale (what a run was made from has changed since), or not measurable yet, with
    the reason and what to run next. Where AP was resampled, a claim that does not hold over the
    whole 95 % interval says so. A failed or stale claim makes the exit code 1, and so does a
    record that had to be left out because it is not as it was sealed.
    """
    del as_json
    from experiments.claims.checking import check as judge
    from experiments.claims.checking import damaged_runs
    from experiments.records.cache import CachedStore
    from experiments.records.seal import describe_problems, remedy

    store = CachedStore(session.workspace)
    outcomes = judge(session.workspace, names or None, store)
    damaged = damaged_runs(store, [each.milestone for each in outcomes])
    for run, problems in damaged:
        told, hint = describe_problems(problems), remedy(problems, run.id)
        session.warn(f"{run.id} was left out, its record is not as sealed: {told}; see: {hint}")
    columns = width(session.stdout or sys.stdout)
    emit(
        session,
        "milestone-check",
        [tell(each) for each in outcomes],
        lambda _: report(outcomes, columns, verbose=verbose),
    )
    if damaged or any(each.state in ("fail", "stale") for each in outcomes):
        context.exit(CLAIM_FALSE)


@milestone.command("list")
@click.option("--verbose", is_flag=True, help="Show each claim as it is written, with its source.")
@json_option
@pass_session
def list_milestones(session: Session, *, verbose: bool, as_json: bool) -> None:
    """List the claims: what each says, what evidence it asks for, where it is written."""
    del as_json
    from experiments.claims.checking import parse_milestone

    claims = list(session.workspace.milestones.values())
    for claim in claims:
        parse_milestone(claim)
    data = [
        {
            "milestone": claim.name,
            "title": claim.title,
            "group": claim.group,
            "predicate": claim.predicate,
            "evidence": list(claim.evidence),
            "dataset": claim.dataset,
            "protocol": claim.protocol,
            "setting": claim.setting,
            "source": claim.source,
            "origin": claim.origin,
        }
        for claim in claims
    ]
    from thesis_cli.views.claim_list import list_view

    columns = width(session.stdout or sys.stdout)
    emit(session, "milestone-list", data, lambda rows: list_view(rows, columns, verbose=verbose))


def tell(outcome: ClaimOutcome) -> dict[str, Any]:
    """Tell a claim's state, its reason, the metrics it looked at and what to do next."""
    from experiments.claims.margins import RESAMPLES, SEED

    claim = outcome.milestone
    pairs = zip(outcome.observations, outcome.intervals or (), strict=False)
    spans = {observation.term: interval for observation, interval in pairs}
    return {
        "milestone": claim.name,
        "title": claim.title,
        "group": claim.group,
        "predicate": claim.predicate,
        "origin": claim.origin,
        "state": outcome.state,
        "holds": outcome.holds,
        "certain": outcome.certain,
        "reason": outcome.reason(),
        "source": claim.source,
        "runs": [run.id for run in outcome.runs],
        "metrics": [
            observed(observation, spans.get(observation.term))
            for observation in outcome.observations
        ],
        "comparisons": [compared(each) for each in outcome.margins],
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED} if any(spans.values()) else None,
        "changes": [
            {
                "run": each.run,
                "kind": each.kind,
                "details": list(each.details),
                "reason": each.text(),
            }
            for each in outcome.changes
        ],
        "notes": [note.text() for note in outcome.notes],
        "next": [step.text() for step in outcome.steps],
    }


def observed(observation: Observation, interval: Interval | None) -> dict[str, Any]:
    """Tell what a reference of the predicate found."""
    return {
        "reference": str(observation.term),
        "run": observation.run.id if observation.run else None,
        "asked": observation.selected_run.id if observation.selected_run else None,
        "metric": observation.metric.to_json() if observation.metric else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "counts": observation.reason is None,
        "reason": observation.reason.text() if observation.reason else None,
    }


def compared(margin: Margin) -> dict[str, Any]:
    """Tell by how much a comparison of the predicate holds."""
    return {
        "claim": str(margin.relation),
        "left": margin.left,
        "right": margin.right,
        "holds": margin.holds,
        "margin": margin.value,
        "low": margin.low,
        "high": margin.high,
        "unit": margin.unit,
    }
