"""`thesis milestone`: the claims of the thesis against what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thesis_cli.faults import CLAIM_FALSE
from thesis_cli.grid import Grid
from thesis_cli.groups import Verbs, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from experiments.checking import Observation, Outcome
    from thesis_cli.session import Session


@click.group(cls=Verbs)
def milestone() -> None:
    """Check the thesis's claims."""


@milestone.command()
@click.argument("names", nargs=-1)
@json_option
@click.pass_context
@pass_session
def check(session: Session, context: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """Check the claims against sealed runs: all, or those called NAMES.

    pass, fail, stale (what a run was made from has changed since), or not measurable yet, with
    the reason. A failed or stale claim makes the exit code 1.
    """
    del as_json
    from experiments.checking import check as judge

    outcomes = judge(session.workspace, names or None)
    emit(session, "milestone-check", [tell(each) for each in outcomes], view)
    if any(each.state in ("fail", "stale") for each in outcomes):
        context.exit(CLAIM_FALSE)


def tell(outcome: Outcome) -> dict[str, Any]:
    """Tell a claim's state, its reason and the metrics it looked at."""
    claim = outcome.milestone
    return {
        "milestone": claim.name,
        "title": claim.title,
        "group": claim.group,
        "predicate": claim.predicate,
        "state": outcome.state,
        "reason": outcome.reason(),
        "source": claim.source,
        "runs": [run.id for run in outcome.runs],
        "metrics": [observed(each) for each in outcome.observations],
    }


def observed(observation: Observation) -> dict[str, Any]:
    """Tell what a reference of the predicate found."""
    return {
        "reference": str(observation.reference),
        "run": observation.run.id if observation.run else None,
        "metric": observation.metric.to_json() if observation.metric else None,
        "counts": observation.reason is None,
        "reason": observation.reason.text() if observation.reason else None,
    }


def view(rows: list[dict[str, Any]]) -> list[Block]:
    """Tabulate the claims."""
    if not rows:
        return ["no milestones; write one under [milestones] in thesis.toml"]
    cells = [
        [
            row["state"].replace("_", " "),
            row["milestone"],
            row["title"] or row["predicate"],
            row["reason"],
        ]
        for row in rows
    ]
    return [Grid(["state", "milestone", "~claim", "~why"], cells)]
