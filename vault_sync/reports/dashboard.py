"""The dashboard: latest runs, claims by state, stale claims, open tasks, links to chapters."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from experiments.records.annotations import OPEN
from vault_sync.engine.disk.names import note_path, parent
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import Page, evaluation
from vault_sync.reports.sections.canvas import thesis_map
from vault_sync.reports.sections.runs_base import runs_base
from vault_sync.reports.sections.shared_cells import shared, without
from vault_sync.reports.sections.todo_list import waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from experiments.claims.checking import ClaimOutcome
    from experiments.claims.evidence import Reason
    from experiments.records.run import Run
    from experiments.staleness.changes import ProvenanceChange

STATES = ("pass", "fail", "stale", "not_measurable")
BASE = "Runs.base"
MAP = "Thesis-Map.canvas"
DATA = 2
"""Place of the column that says on what data a run was evaluated."""
MOST = 10
"""Experiments that the table shows: the base has them all."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/dashboard.jinja shows, and make the base and the map."""
    latest = [run for run in page.sources.latest if run in page.sources.sound]
    latest.sort(key=lambda run: (run.record.finished, run.id), reverse=True)
    outcomes = page.sources.outcomes
    return {
        "runs": _runs(page, latest[:MOST]),
        "more": max(len(latest) - MOST, 0),
        "base": _base(page) if latest else "",
        "claims": _claims(page, outcomes),
        "total": len(outcomes),
        "reached": sum(outcome.state == "pass" for outcome in outcomes),
        "board": page.links.to("chapter/milestones", _title(page, "milestones")),
        "stale": _stale(page, outcomes),
        "waiting": waiting(page),
        "map": _map(page, outcomes) if latest else "",
        "chapters": _chapters(page),
    }


def _runs(page: Page, runs: Sequence[Run]) -> Safe:
    words = page.words
    if not runs:
        return Safe("")
    headers = [words.say("column.run"), words.say("column.score"), words.say("column.data")]
    headers += [words.say("dashboard.finished"), words.say("dashboard.decision")]
    rows = [_run(page, run) for run in runs]
    data = shared([row[DATA] for row in rows], words.say("none"))
    if data:
        headers, rows = without(headers, [DATA]), [without(row, [DATA]) for row in rows]
    laid_out = page.table("latest", headers, rows)
    return Safe(f"{words.say('on_data', data=data)}\n\n{laid_out}") if data else laid_out


def _run(page: Page, run: Run) -> list[Safe]:
    words, primary, measured = page.words, run.primary, evaluation(run)
    score = f"{words.title(primary)} {words.value(primary)}" if primary else ""
    return [
        page.run(run),
        Safe(score) or words.say("not_measured"),
        words.say("none") if measured is None else words.short(measured),
        words.date(run.record.finished or run.record.created),
        words.name("verdict", run.annotations.verdict or OPEN),
    ]


def _claims(page: Page, outcomes: Sequence[ClaimOutcome]) -> Safe:
    """Count the claims by group and state."""
    if not outcomes:
        return Safe("")
    words = page.words
    groups = dict.fromkeys(outcome.milestone.group for outcome in outcomes)
    states = [Safe(words.say(f"state.{state}").strip("*")) for state in STATES]
    headers = [words.say("dashboard.group"), *states]
    rows: list[list[object]] = []
    for group in groups:
        counts = Counter(outcome.state for outcome in outcomes if outcome.milestone.group == group)
        rows.append([words.name("group", group or "other"), *(counts[state] for state in STATES)])
    return page.table("states", headers, rows, range(1, 1 + len(STATES)))


def _stale(page: Page, outcomes: Sequence[ClaimOutcome]) -> list[Safe]:
    """Say what has changed since it was measured, which claims rest on it, and what to run."""
    words, language = page.words, page.words.language
    titles_by_cause: dict[tuple[Safe, Safe], list[str]] = {}
    for outcome in outcomes:
        if outcome.state == "stale":
            why, todo = _joined(page, outcome.changes), _joined(page, outcome.steps)
            titles_by_cause.setdefault((why, todo), []).append(outcome.milestone.titled(language))
    return [
        words.say(
            "dashboard.stale",
            why=why,
            claims=Safe(words.semicolon.join(map(words.sentence, titles))),
            todo=todo,
        )
        for (why, todo), titles in titles_by_cause.items()
    ]


def _joined(page: Page, causes: Iterable[ProvenanceChange | Reason]) -> Safe:
    words = page.words
    sentences = dict.fromkeys(cause.text(words.language) for cause in causes)
    return Safe(words.semicolon.join(map(words.sentence, sentences)))


def _base(page: Page) -> Safe:
    """Make the base of the runs, and show it."""
    path = page.figures.add_file(beside(page, BASE), runs_base(page.words))
    return page.links.embed(path, page.words.say("dashboard.base"))


def _map(page: Page, outcomes: Sequence[ClaimOutcome]) -> Safe:
    """Make the map from hypotheses to chapters, and link to it."""
    path = page.figures.add_file(beside(page, MAP), thesis_map(page, outcomes))
    return page.links.file(path, page.words.say("dashboard.map"))


def beside(page: Page, name: str) -> str:
    """Return the path of a file that goes with the dashboard, wherever the note was moved."""
    chapter = note_path(page.sources.workspace.chapters["dashboard"], "chapters.dashboard")
    return "/".join(filter(None, (parent(chapter), name)))


def _chapters(page: Page) -> list[Safe]:
    """Link to the chapters that there are."""
    names = [name for name in page.sources.workspace.chapters if name in TITLED]
    return [
        page.links.to(f"chapter/{name}", _title(page, name))
        for name in names
        if page.links.places.get(f"chapter/{name}")
    ]


TITLED = (
    *("baseline", "ultra-light", "innovations", "methodology", "architecture", "documentation"),
    *("performance", "comparison", "ablation", "milestones"),
)


def _title(page: Page, chapter: str) -> Safe:
    return page.words.name("chapter", chapter)
