"""`thesis check baseline`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from experiments.records.seal import describe_problems, remedy
from experiments.wording.numbers import format_number
from featherface.errors import ClaimFalseError
from thesis_cli.completion import complete_run
from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option
from thesis_cli.wording import difference, quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.claims.baseline import Baseline, BaselineOutcome
    from experiments.records.run import Run
    from experiments.records.store import Store
    from thesis_cli.session import Session

WORDS = {"pass": "pass", "fail": "FAIL", "not_measured": "not measured"}


@click.command(cls=Command)
@click.argument("selector", required=False, shell_complete=complete_run)
@json_option
@click.pass_context
@pass_session
def baseline(session: Session, context: click.Context, selector: str | None, as_json: bool) -> None:
    """Hold a run against what was published of the baseline, row by row.

    SELECTOR is a sealed run; without it, the latest one of the baseline's networks that measured on
    the widest scope. What a bare name's run lacks is read from versions with the same weights, as
    milestones do. What was not measured on the same data, by the same protocol, does not count.
    Exit code 1 where a row fails.
    """
    del as_json
    from experiments.claims.baseline import baseline, candidate, validate
    from experiments.claims.candidate_runs import evidence_run
    from experiments.records.store import Store

    store, expected = Store(session.workspace), baseline()
    run = evidence_run(store, selector).run if selector else candidate(store.runs(), expected)
    if run is not None:
        check(store, run)
    meant = selector or (meant_by(store, run) if run else "")
    outcomes = validate(run, expected, store, meant)
    for other in dict.fromkeys(each.run for each in outcomes if each.run and each.run != run):
        check(store, other)
    if run is None:
        session.warn("no sealed run of the baseline yet; make one: thesis run v1")
    answer = tell(expected, run, outcomes)
    emit(session, "check-baseline", answer, view)
    if answer["counts"]["fail"]:
        context.exit(CLAIM_FALSE)


def meant_by(store: Store, run: Run) -> str:
    """Return the selector that means RUN: its experiment's bare name where that does."""
    meant = store.select(run.experiment).run == run
    return run.experiment if meant else run.id


def check(store: Store, run: Run) -> None:
    """Refuse a record that is unfinished or was changed."""
    if not run.sealed:
        raise ClaimFalseError(f"{run.id} is {run.status}, not sealed", "thesis runs list")
    if problems := store.problems(run):
        raise ClaimFalseError(
            f"the sealed record of {run.id} was changed: {describe_problems(problems)}",
            remedy(problems, run.id),
        )


def tell(
    expected: Baseline, run: Run | None, outcomes: Sequence[BaselineOutcome]
) -> dict[str, Any]:
    """Reduce what was found to plain values."""
    states = [outcome.state for outcome in outcomes]
    return {
        "baseline": expected.name,
        "title": expected.title,
        "source": expected.source,
        "run": run.id if run else None,
        "counts": {state: states.count(state) for state in ("pass", "fail", "not_measured")},
        "rows": [
            {
                "metric": outcome.expectation.metric,
                "unit": outcome.expectation.unit,
                "expected": outcome.expectation.value,
                "within": outcome.expectation.within,
                "measured": outcome.metric.value if outcome.metric else None,
                "run": outcome.run.id if outcome.run else None,
                "difference": outcome.difference,
                "state": outcome.state,
                "why": outcome.reason.text() if outcome.reason else "",
                "beside": {"metric": outcome.beside.name, "value": outcome.beside.value}
                if outcome.beside
                else None,
            }
            for outcome in outcomes
        ],
    }


def view(answer: dict[str, Any]) -> list[Block]:
    """Tabulate expected, measured and state."""
    facts = {"baseline": f"{answer['title']}; {answer['source']}", "run": answer["run"] or "none"}
    rows = [
        [
            row["metric"],
            wanted(row),
            "" if row["measured"] is None else quantity(row["measured"], row["unit"]),
            "" if row["difference"] is None else difference(row["difference"], row["unit"]),
            WORDS[row["state"]],
            "; ".join(part for part in (row["why"], beside(row), stand_in(row, answer)) if part),
        ]
        for row in answer["rows"]
    ]
    counts = answer["counts"]
    summary = ", ".join(f"{WORDS[state].lower()}: {count}" for state, count in counts.items())
    columns = ["metric", ">expected", ">measured", ">difference", "state", "~why"]
    return [Grid(columns, rows, facts=facts), "", summary]


def beside(row: dict[str, Any]) -> str:
    """Word what is shown with a count and not judged: the true one."""
    shown = row["beside"]
    return f"true count: {quantity(shown['value'], row['unit'])}" if shown else ""


def stand_in(row: dict[str, Any], answer: dict[str, Any]) -> str:
    """Name the run that measured it, where that is another version of the same weights."""
    other = row["measured"] is not None and row["run"] != answer["run"]
    return f"of {row['run']}" if other else ""


def wanted(row: dict[str, Any]) -> str:
    """Word what is expected and how far off it may be."""
    if row["within"] is None:
        return f"below {quantity(row['expected'], row['unit'])}"
    if row["unit"] == "fraction":
        within = format_number(row["within"], ".1p")
        return f"{quantity(row['expected'], row['unit'])} − {within}"
    return f"{quantity(row['expected'], row['unit'])} ± {quantity(row['within'], row['unit'])}"
