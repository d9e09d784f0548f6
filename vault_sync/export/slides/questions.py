"""Questions that may be asked of the numbers on the slides, and the run behind each answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.records.annotations import OPEN
from vault_sync.export.reading import pandoc
from vault_sync.export.reading.pandoc_ast import rewrite
from vault_sync.export.reading.pandoc_ast import words as inlines_of
from vault_sync.export.slides.deck import Slide
from vault_sync.export.typography import typeset
from vault_sync.rendering.markdown import Safe, code, escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from experiments.metrics import Metric
    from vault_sync.prose.checking import NumberFinding
    from vault_sync.prose.values import ReferenceValue, ReferenceValues
    from vault_sync.rendering.words import Words

SEAL = 12
"""Digits of a seal that are shown: as many as `thesis runs verify` shows."""
EACH = 3
"""Questions on a slide."""


@dataclass(frozen=True)
class NumberQuestion:
    """A question, and what the records answer; both in Markdown."""

    question: Safe
    answer: tuple[Safe, ...]
    """A sentence each."""


def ask(
    findings: Iterable[NumberFinding], values: ReferenceValues, words: Words
) -> list[NumberQuestion]:
    """Ask of each bound number where it comes from; one of the same record is asked of once."""
    asked: dict[tuple[str, str], NumberQuestion] = {}
    for finding in findings:
        value = finding.value
        key = (" ".join(finding.text.split()), finding.reference.rpartition(" ")[0])
        if value is None or key in asked:
            continue
        names = words.listing(list(dict.fromkeys(words.title(one) for one in value.metrics)))
        question = words.say("slides.where", number=Safe(escape(key[0])), what=names)
        stale = finding.state != "fresh"
        last = (words.say("slides.stale", expected=finding.expected),) if stale else ()
        asked[key] = NumberQuestion(question, (*_answer(value, values, words), *last))
    return list(asked.values())


def question_slides(questions: list[NumberQuestion], words: Words) -> list[Slide]:
    """Return slides with QUESTIONS, a few on each; none without questions.

    Raises:
        UnavailableError: pandoc is missing or fails.
    """
    texts = [
        "\n".join([f"**{one.question}**\n", *(f"- {row}" for row in one.answer)])
        for one in questions
    ]
    trees = rewrite(pandoc.read(texts), inlines=typeset(words.language))
    groups = [trees[at : at + EACH] for at in range(0, len(trees), EACH)]
    return [
        Slide(
            title=inlines_of(_title(words, place, len(groups))),
            blocks=[node for tree in group for node in tree],
            identity=f"questions-{place}",
        )
        for place, group in enumerate(groups, 1)
    ]


def _title(words: Words, place: int, count: int) -> str:
    title = str(words.say("slides.questions"))
    return title if count == 1 else f"{title} ({place}/{count})"


def _answer(value: ReferenceValue, values: ReferenceValues, words: Words) -> list[Safe]:
    """Say which runs, or which work, a value is of; then on what it was measured."""
    rows = [_run(run, values, words) for run in value.runs]
    stated = [metric for metric in value.metrics if metric.evidence in ("cited", "target")]
    rows += [words.say(f"slides.{one.evidence}", source=one.source) for one in stated]
    rows += dict.fromkeys(_conditions(metric, words) for metric in value.metrics)
    return [row for row in rows if row]


def _run(run_id: str, values: ReferenceValues, words: Words) -> Safe:
    run = values.store.find(run_id)
    return words.say(
        "slides.run",
        run=run.id,
        seal=code(run.seal[:SEAL]),
        date=words.date(run.record.finished or run.record.created),
        verdict=words.name("verdict", run.annotations.verdict or OPEN),
    )


def _conditions(metric: Metric, words: Words) -> Safe:
    if metric.evidence in ("cited", "target"):
        return Safe("")
    told, marks = words.conditions(metric), words.marks(metric.marks)
    data = (
        words.say("slides.data", data=told)
        if metric.dataset
        else words.say("slides.setting", setting=told)
    )
    return Safe(f"{data}{marks}") if told != words.say("none") else Safe("")
