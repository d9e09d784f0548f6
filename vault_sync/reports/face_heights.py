"""Recall by the height of faces, where a hypothesis speaks of small ones."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from experiments.accuracy import WIDEST
from experiments.records.cache import cached_result
from experiments.wording.catalogue import phrase
from featherface.errors import RefusedError
from vault_sync.rendering.markdown import Safe
from vault_sync.rendering.page import evaluation, group
from vault_sync.reports.gallery import RunReview, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.page import Page
    from vault_sync.rendering.words import Words

LANGUAGES = ("en", "fr")


def speaks_of_small_faces(run: Run) -> bool:
    """Whether the hypothesis or a tag of RUN is about small faces, in whatever language."""
    said = [re.sub(r"[\s_-]+", " ", text.lower()) for text in (run.hypothesis, *run.tags)]
    named = [phrase("heights.spoken", language).split(",") for language in LANGUAGES]
    patterns = [rf"\b{re.escape(words.strip())}\b" for row in named for words in row]
    return any(re.search(pattern, text) for pattern in patterns for text in said)


def recall_by_height(page: Page, runs: Sequence[Run]) -> Safe:
    """Lay out recall by height for those RUNS that speak of small faces, beside their teachers.

    A table for each data that they were evaluated on. Nothing is shown of runs whose detections
    can't be judged once more here, for want of their data.
    """
    chosen = [run for run in runs if speaks_of_small_faces(run) and evaluation(run)]
    wanted = {
        parent.run for run in chosen for parent in run.record.parents if parent.role == "teacher"
    }
    teachers = [run for run in page.sources.counting if run.id in wanted]
    known = {run.id: run for run in [*teachers, *chosen]}
    tables = []
    for members in group([run for run in known.values() if evaluation(run)], page.words):
        judged = _judged(page, members.runs)
        if any(run.id in judged for run in chosen):
            tables.append(_table(page.within(members), members.runs, judged))
    return Safe("\n\n".join(tables))


def _judged(page: Page, runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Count the faces of each run by height, all at the score that decides for the first."""
    counted: dict[str, dict[str, Any]] = {}
    score: float | None = None
    for run in runs:
        about = [run.id, run.seal, f"score={score}"]
        gather = partial(count_by_height, RunReview(page.sources, run), score)
        try:
            counts = cached_result(page.sources.cache / "heights", about, gather, ["numpy"])
        except RefusedError:  # its data is not on this machine
            continue
        counted[run.id] = counts
        score = counts["score"]
    return counted


def count_by_height(review: RunReview, score: float | None) -> dict[str, Any]:
    """Return the faces of each height, and those found at SCORE; None: the run's own.

    Raises:
        RefusedError: the detections can't be judged again.
    """
    from experiments.inspection.error_counts import count_errors  # noqa: PLC0415 - numpy and scipy

    case = review.detection_review
    at = case.evaluate.decision if score is None else score
    counts = count_errors(case, [at], WIDEST, ["height"])
    rows = counts["breakdown"]["height"]
    return {
        "score": at,
        "rows": [{key: row[key] for key in ("group", "faces", "found")} for row in rows],
    }


def _table(page: Page, runs: Sequence[Run], judged: dict[str, dict[str, Any]]) -> Safe:
    words = page.words
    shown = [run for run in runs if run.id in judged]
    first = judged[shown[0].id]
    found = {
        run.id: {row["group"]: row["found"] for row in judged[run.id]["rows"]} for run in shown
    }
    headers = [words.say("heights.height"), words.say("heights.faces"), *map(page.run, shown)]
    rows = [
        [
            _height(words, row["group"]),
            words.number(row["faces"], ",d"),
            *(share(words, found[run.id].get(row["group"], 0), row["faces"]) for run in shown),
        ]
        for row in first["rows"]
    ]
    said = words.say(
        "heights.said",
        score=words.number(first["score"], ".2g"),
        subset=WIDEST.title(),
    )
    return Safe(f"{said}\n\n{page.table('heights', headers, rows, range(1, len(headers)))}")


def _height(words: Words, name: str) -> Safe:
    """Write a range of heights in pixels: `30-50` or `300+`."""
    low, dash, high = name.rstrip("+").partition("-")
    return words.say("gallery.range" if dash else "gallery.above", low=low, high=high)
