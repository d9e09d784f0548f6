"""The weekly report for the supervisor: runs, metrics, claims and next steps of a period."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from experiments.claims.history import day_of, finished_on, states_on
from experiments.metrics import AP_METRICS, kind
from experiments.records.annotations import OPEN
from featherface.errors import RefusedError, UsageError
from vault_sync.rendering.excerpts import excerpt, excerpts
from vault_sync.rendering.markdown import Safe, code, escape
from vault_sync.rendering.page import MODEL_METRICS, Page, evaluation
from vault_sync.rendering.periods import period_of
from vault_sync.rendering.private_text import ends_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from experiments.metrics import Metric
    from experiments.records.run import Run
    from vault_sync.rendering.excerpts import Excerpt
    from vault_sync.rendering.periods import Period
    from vault_sync.rendering.words import Words


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/weekly.jinja shows.

    Raises:
        RefusedError: the marker does not say which days, or a claim can't be read.
    """
    period = period_of(page.attributes)
    sealed = page.sources.sound
    finished = sorted(
        (run for run in sealed if period.holds(finished_on(run))),
        key=lambda run: (run.record.finished, run.experiment, run.version),
    )
    unfinished = [
        run
        for run in page.sources.runs
        if not run.sealed and run.id not in page.sources.unreadable and period.holds(_begun(run))
    ]
    words = page.words
    return {
        "since": words.date(period.since.isoformat()),
        "until": words.date(period.until.isoformat()),
        "finished": _finished(page, finished),
        "unfinished": _unfinished(page, unfinished),
        "changes": _changes(page, finished, [run for run in sealed if run not in finished]),
        "milestones": _milestones(page, sealed, period),
        "hypotheses": _hypotheses(page, finished),
        "steps": list(_steps(page, finished, unfinished)),
    }


def _begun(run: Run) -> date | None:
    """Return the day of the latest attempt at RUN."""
    attempts = run.record.attempts
    return day_of(attempts[-1].started if attempts else run.record.created)


def _finished(page: Page, runs: Sequence[Run]) -> Safe:
    words = page.words
    if not runs:
        return Safe("")
    headers = [words.say("column.run"), words.say("weekly.finished"), words.say("column.duration")]
    headers += [words.say("column.score"), words.say("column.data")]
    return page.table("finished", headers, [_finished_row(page, run) for run in runs], [2])


def _finished_row(page: Page, run: Run) -> list[object]:
    words, measured = page.words, evaluation(run)
    return [
        page.run(run),
        words.date((finished_on(run) or date.min).isoformat()),
        words.duration(run.record.seconds),
        _score(page, run),
        words.say("none") if measured is None else words.short(measured),
    ]


def _score(page: Page, run: Run) -> Safe:
    """Write the metric that decides between versions."""
    primary = run.primary
    if primary is None:
        return page.words.say("not_measured")
    return Safe(f"{page.words.title(primary)} {page.words.value(primary)}")


def _unfinished(page: Page, runs: Sequence[Run]) -> Safe:
    words = page.words
    if not runs:
        return Safe("")
    headers = [words.say(f"column.{key}") for key in ("run", "status", "started")]
    rows = [
        [run.id, words.say(f"status.{run.status}"), words.date(run.record.created)] for run in runs
    ]
    return page.table("unfinished", headers, rows)


def _changes(page: Page, finished: Sequence[Run], others: Sequence[Run]) -> Safe:
    """Set the last version of each experiment beside the one before the period."""
    words = page.words
    rows = []
    for run in {latest.experiment: latest for latest in finished}.values():
        before = [
            earlier
            for earlier in others
            if earlier.experiment == run.experiment and earlier.version < run.version
        ]
        rows += [_change(page, run, *pair) for pair in _pairs(run, before)]
    if not rows:
        return Safe("")
    keys = ("column.run", "weekly.before", "column.metric", "weekly.was", "weekly.is")
    rest = ("weekly.difference", "weekly.direction", "column.data")
    headers = [words.say(key) for key in (*keys, *rest)]
    return page.table("progress", headers, rows, [3, 4, 5])


def _pairs(run: Run, before: Sequence[Run]) -> Iterator[tuple[Run, Metric, Metric]]:
    """Yield each metric of RUN whose value differs from that of the last version like it."""
    for name in (*AP_METRICS, *MODEL_METRICS):
        now = run.metric(name)
        if now is None:
            continue
        for earlier in reversed(before):
            was = earlier.metric(name)
            if was is not None and _comparable(was, now):
                if was.value != now.value:
                    yield earlier, was, now
                break


def _comparable(earlier: Metric, later: Metric) -> bool:
    """Whether two values were measured on the same data or device, in the same way, unmarked."""
    if earlier.marks or later.marks:
        return False
    return (earlier.context, earlier.n, earlier.fingerprint) == (
        later.context,
        later.n,
        later.fingerprint,
    )


def _change(page: Page, run: Run, earlier: Run, was: Metric, now: Metric) -> list[object]:
    words = page.words
    better = (now.value > was.value) == kind(now.name, now.unit).higher_is_better
    return [
        page.run(run),
        page.run(earlier),
        words.title(now),
        words.value(was),
        words.value(now),
        words.change(now.value - was.value, now.name, now.unit),
        words.say("weekly.better" if better else "weekly.worse"),
        words.conditions(now),
    ]


def _milestones(page: Page, sealed: Sequence[Run], period: Period) -> Safe:
    """List the claims whose state the period changed."""
    words, workspace = page.words, page.sources.workspace
    try:
        before = states_on(workspace, sealed, period.since - timedelta(days=1))
        after = states_on(workspace, sealed, period.until)
    except UsageError as error:
        raise RefusedError(error.message, error.hint) from error
    rows: list[list[object]] = [
        [
            Safe(f"{escape(milestone.titled(words.language))} ({code(name)})"),
            words.say(f"state.{before[name]}"),
            words.say(f"state.{after[name]}"),
        ]
        for name, milestone in workspace.milestones.items()
        if before[name] != after[name]
    ]
    if not rows:
        return Safe("")
    headers = [words.say(key) for key in ("column.milestone", "weekly.was", "weekly.is")]
    return page.table("moved", headers, rows)


def _hypotheses(page: Page, runs: Sequence[Run]) -> Safe:
    """List what the finished runs were to show, and what the student decided."""
    words = page.words
    if not runs:
        return Safe("")
    headers = [words.say(f"weekly.{key}") for key in ("hypothesis", "decision", "analysis")]
    rows: list[list[object]] = []
    for run in runs:
        annotations = run.annotations
        none = words.say("none")
        verdict = words.name("verdict", annotations.verdict or OPEN)
        said = excerpt(annotations.analysis or annotations.note or "")
        notes = _with_the_rest(said, page.run(run), words)
        stated = excerpt(run.hypothesis).text
        rows.append([page.run(run), stated or none, verdict, notes or none])
    return page.table("decisions", [words.say("column.run"), *headers], rows)


def _steps(page: Page, finished: Sequence[Run], unfinished: Sequence[Run]) -> Iterator[Safe]:
    """Say what follows: what the student wrote, what waits for an answer, what to go on with."""
    words = page.words
    for run in finished:
        note = page.run_in_prose(run)
        inside = ends_inside(run.annotations.analysis or "")
        for step in excerpts(run.annotations.next_steps or "", inside=inside):
            planned = _with_the_rest(step, note, words)
            yield words.say("weekly.planned", run=note, text=planned)
    for run in finished:
        if run.hypothesis and (run.annotations.verdict or OPEN) == OPEN:
            yield words.say("weekly.decide", run=page.run_in_prose(run))
    for run in unfinished:
        if run.status != "running":
            yield words.say("weekly.resume", run=run.id, experiment=Safe(run.experiment))


def _with_the_rest(said: Excerpt, note: Safe, words: Words) -> Safe:
    """Add to a student's words where there are more of them."""
    if not said.more:
        return said.text
    rest = words.say("weekly.rest" if said.text else "weekly.elsewhere", note=note)
    return Safe(f"{said.text} {rest}".strip())
