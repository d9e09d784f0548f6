"""`thesis runs show`, `reindex`: what a run was and found; the index made anew."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import click

from experiments.records.seal import describe_problems, remedy
from thesis_cli.commands.runs import store
from thesis_cli.completion import complete_run
from thesis_cli.groups import Command, pass_session
from thesis_cli.language import TERMINAL
from thesis_cli.output import Block, emit, json_option
from thesis_cli.views.metrics import metrics_grid
from vault_sync.run_note_fields.table import answers_of

if TYPE_CHECKING:
    from experiments.records.run import Run
    from experiments.records.store import Store
    from thesis_cli.session import Session


@click.command(cls=Command)
@click.argument("selector", shell_complete=complete_run)
@click.option("--verbose", is_flag=True, help="Name metrics' keys too, and what has changed since.")
@json_option
@pass_session
def show(session: Session, selector: str, *, verbose: bool, as_json: bool) -> None:
    """Show the record of one run.

    SELECTOR is v2 (the latest sealed), v2@3, v2@best, @last or a label.
    """
    del as_json
    records = store(session)
    run = records.find(selector)
    if problems := records.verify(run):
        hint = remedy(problems, run.id)
        session.warn(
            f"{run.id} was changed since it was sealed: {describe_problems(problems)}; see: {hint}"
        )
    if verbose and run.sealed:
        warn_of_changes(session, records, run)
    emit(session, "runs-show", describe(run), lambda data: show_view(data, verbose=verbose))


def warn_of_changes(session: Session, records: Store, run: Run) -> None:
    """Say what of all that RUN's numbers follow from has changed since, with or without effect."""
    from experiments.staleness.changes import changes, rewritten
    from experiments.staleness.families import families
    from experiments.wording.phrases import say

    of_metrics = (families(run, metric.name) for metric in run.metrics)
    every_family = list(dict.fromkeys(itertools.chain.from_iterable(of_metrics)))
    for change in changes(run, records, every_family):
        session.warn(change.text())
    if same := rewritten(run, records, every_family):
        session.warn(say("reason.same-code", TERMINAL, run=run.id, details=", ".join(same)))


def describe(run: Run) -> dict[str, Any]:
    """Tell everything about a run."""
    return {
        "run": run.id,
        "experiment": run.experiment,
        "version": run.version,
        "status": run.status,
        "variant": run.variant,
        "labels": list(run.labels),
        "folder": run.folder,
        "seal": run.seal or None,
        "hypothesis": run.hypothesis,
        "answers": answers_of(run),
        "record": run.record.to_json(),
        "recipe": run.recipe,
        "data": run.data,
        "metrics": [metric.to_json() for metric in run.metrics],
    }


def said(answers: dict[str, Any]) -> dict[str, str]:
    """Show what the student says of a run, the verdict under a name of its own."""
    told = {**answers, "verdict": answers["status"]}
    del told["status"]
    return {
        key.replace("_", " "): ", ".join(words) if isinstance(words, tuple) else words
        for key, words in told.items()
    }


def show_view(data: dict[str, Any], *, verbose: bool = False) -> list[Block]:
    """Show a run: what it was, then its metrics; VERBOSE: with their keys."""
    record = data["record"]
    facts = {
        "run": data["run"],
        "status": data["status"],
        "variant": data["variant"],
        **said(data["answers"]),
        "labels": ", ".join(data["labels"]),
        "parents": ", ".join(
            f"{parent['role']} {parent['run'] or parent['path']}" for parent in record["parents"]
        ),
        "seed": str(record["seed"]),
        "git": f"{record['git']['commit'][:12]}{' (dirty)' if record['git']['dirty'] else ''}",
        "created": record["created"],
        "folder": str(data["folder"]),
        "seal": data["seal"] or "",
    }
    told = {name: value for name, value in facts.items() if value}
    return [metrics_grid(data["metrics"], told, verbose=verbose)]


@click.command(cls=Command)
@json_option
@pass_session
def reindex(session: Session, as_json: bool) -> None:
    """Make the index anew from the records.

    Nothing is lost: it is a cache.
    """
    del as_json
    count = store(session).reindex()
    emit(session, "runs-reindex", {"runs": count}, lambda data: [f"{data['runs']:,} runs indexed"])
