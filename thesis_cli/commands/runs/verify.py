"""`thesis runs verify`: whether records are what they were sealed as, and what proves it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from experiments.proof.outcome import FAILED, HELD
from experiments.records.seal import Problem, describe_problems, only_line_ends, strays
from thesis_cli.commands.runs import store
from thesis_cli.commands.runs.stamp import roots_option
from thesis_cli.completion import complete_run
from thesis_cli.errors import CLAIM_FALSE
from thesis_cli.grid import Grid
from thesis_cli.groups import Command, pass_session
from thesis_cli.output import Block, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from experiments.records.run import Run
    from experiments.records.store import Store
    from thesis_cli.session import Session

ABSENT = ("removed", "gone")
"""States of a run whose record does not lie in runs/."""

TOLD_WHOLE = 10
"""Runs whose every check a person is shown; of more, those of faulty ones. --json has all."""


@click.command(cls=Command)
@click.argument("selectors", nargs=-1, shell_complete=complete_run)
@click.option(
    "--full", is_flag=True, help="Match predictions and resample again too: seconds a run."
)
@roots_option
@json_option
@click.pass_context
@pass_session
def verify(
    session: Session,
    context: click.Context,
    *,
    selectors: tuple[str, ...],
    full: bool,
    roots: Path | None,
    as_json: bool,
) -> None:
    """Check that sealed records are as they were sealed, and say what proves it.

    All of them, or those that SELECTORS mean. Each file is compared with the seal, the seal with
    the folder's place and with what the workspace remembers, and the numbers with the files that
    they follow from; timestamps beside a record with its seal. With --json each check is told, and
    why one was not made.
    """
    del as_json
    records = store(session)
    chosen = [records.find(each) for each in selectors] if selectors else records.runs()
    data = [verdict(records, run, full=full, roots=roots) for run in chosen]
    if not selectors:
        data += absent(records)
    for warning in warnings(records, data):
        session.warn(warning)
    emit(session, "runs-verify", data, verify_view)
    if any(map(faulty, data)):
        context.exit(CLAIM_FALSE)


def verdict(records: Store, run: Run, *, full: bool, roots: Path | None) -> dict[str, Any]:
    """Examine one record, and the timestamps beside it."""
    from experiments.proof.checks import examine
    from experiments.proof.timestamping import examine_timestamps

    if run.sealed:
        problems, outcomes = examine(run, records, full=full)
    else:
        problems, outcomes = records.verify(run), []
    return {
        "run": run.id,
        "status": run.status,
        "intact": not problems if run.sealed else None,
        "problems": [
            {"path": each.path, "problem": each.kind, "detail": each.detail} for each in problems
        ],
        "checks": [
            {"check": each.check, "outcome": each.outcome, "detail": each.detail}
            for each in outcomes
        ],
        "timestamps": [asdict(each) for each in examine_timestamps(run, records, roots)],
        "strays": strays(run.folder),
    }


def faulty(row: dict[str, Any]) -> bool:
    """Whether something is wrong with a record, or with a timestamp that should speak for it."""
    return bool(row["problems"]) or any(each["outcome"] == FAILED for each in row["timestamps"])


def absent(records: Store) -> list[dict[str, Any]]:
    """Tell of the runs that were sealed here and whose records lie in runs/ no more."""
    empty: dict[str, Any] = {"intact": None}
    empty |= {key: [] for key in ("problems", "checks", "timestamps", "strays")}
    memory = records.ledger.memory
    there = {run.id for run in records.runs()}
    missing = [run for run in (*memory.seals, *memory.removed) if run not in there]
    return [
        {"run": run, "status": ABSENT[run not in memory.removed], **empty}
        for run in dict.fromkeys(missing)
    ]


def warnings(records: Store, rows: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Yield what is no fault of a record, and worth knowing."""
    for row in rows:
        if row["status"] == "gone":
            event = records.ledger.memory.seals[row["run"]]
            yield (
                f"{row['run']} was sealed ({event.seal[:12]}, {event.time}) and its folder is gone:"
                f" bring it back from a backup, or note that it was meant: thesis runs rm"
                f" {row['run']}"
            )
        if row["strays"]:
            names = ", ".join(row["strays"][:3])
            yield f"{row['run']} holds files that are no part of it and can be removed: {names}"
    if records.ledger.damaged:
        lines = ", ".join(map(str, records.ledger.damaged))
        yield f"{records.ledger.path.name} can't be read in line {lines}; what stood there is lost"
    if not records.ledger.exists and rows:
        yield (
            "the workspace keeps no ledger yet: whether a record was sealed anew is known from git"
            " at most; the next command that writes begins one (thesis report sync)"
        )


def verify_view(rows: list[dict[str, Any]]) -> list[Block]:
    """Tell of each run whether it is intact, then by which checks."""
    if not rows:
        return ["no runs yet; make one: thesis run v1"]
    words = {True: "intact", False: "NOT what was sealed", None: "not sealed"}
    lines: list[Block] = []
    told: list[dict[str, Any]] = []
    for row in rows:
        problems = [Problem(*each.values()) for each in row["problems"]]
        if only_line_ends(problems):
            lines.append(f"{row['run']}: {describe_problems(problems)}")
            continue
        told.append(row)
        state = row["status"] if row["status"] in ABSENT else words[row["intact"]]
        lines.append(f"{row['run']}: {state}{stamped(row['timestamps'])}")
        lines += [
            f"  {problem.path}: {problem.kind} {problem.detail}".rstrip() for problem in problems
        ]
    whole = len(rows) <= TOLD_WHOLE
    cells = [
        [row["run"], check["check"], check["outcome"], check["detail"]]
        for row in told
        for check in (*row["checks"], *map(as_check, row["timestamps"]))
        if whole or faulty(row)
    ]
    if cells:
        lines.append(Grid(["run", "check", "outcome", "~detail"], cells))
    return lines


def as_check(timestamp: dict[str, Any]) -> dict[str, Any]:
    """Return what a table of checks tells of TIMESTAMP."""
    detail = f"{timestamp['file']}: {timestamp['detail']}"
    return {"check": "timestamp", "outcome": timestamp["outcome"], "detail": detail}


def stamped(timestamps: Iterable[dict[str, Any]]) -> str:
    """Return what follows a run's state: since when its seal is known to have existed."""
    times = [each["time"] for each in timestamps if each["outcome"] == HELD]
    return f", its seal existed at {min(times)}" if times else ""
