"""Hypotheses of experiments: what each changes in the baseline, its score and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments import schema
from experiments.records.annotations import OPEN
from featherface.variants.table import VARIANTS
from vault_sync.rendering.markdown import Safe, code
from vault_sync.rendering.page import Page, evaluation
from vault_sync.rendering.private_text import public
from vault_sync.rendering.setting_words import setting_value
from vault_sync.reports.architecture import design_keys, design_name
from vault_sync.reports.face_heights import recall_by_height
from vault_sync.reports.sections.run_diff import show_parent
from vault_sync.reports.sections.shared_cells import shared

if TYPE_CHECKING:
    from experiments.records.run import Run

BASELINE = "v1"
"""The variant that the thesis changes."""


def build(page: Page) -> dict[str, object] | None:
    """Gather what templates/<language>/hypotheses.jinja shows; None before the first run."""
    runs = page.sources.select(page.selectors)
    if not runs:
        return None
    words = page.words
    keys = ("run", "hypothesis", "changes", "measured", "verdict")
    headers = [words.say(f"hypotheses.{key}") for key in keys]
    data = shared([_data(page, run) for run in runs], Safe(""))
    rows = [_row(page, run, told=bool(data)) for run in runs]
    return {
        "data": data,
        "table": page.table("hypotheses", headers, rows),
        "baseline": code(BASELINE),
        "heights": recall_by_height(page, runs),
    }


def _row(page: Page, run: Run, *, told: bool) -> list[object]:
    """Write one run; TOLD: the data are said above the table."""
    words, verdict = page.words, run.annotations.verdict or OPEN
    return [
        page.run(run),
        words.recorded(public(run.hypothesis)) or words.say("none"),
        _changes(page, run),
        _measured(page, run, told=told),
        words.name("verdict", verdict),
    ]


def _changes(page: Page, run: Run) -> Safe:
    """Say in what a run's network departs from the baseline's, and who taught it."""
    words, model = page.words, run.recipe.get("model") or {}
    before = schema.plain(VARIANTS[BASELINE].config)
    model = {key: model.get(key, value) for key, value in before.items()}
    phrases = [
        words.say(
            "hypotheses.one",
            name=design_name(page, key),
            before=setting_value(words, f"model.{key}", before[key]),
            after=setting_value(words, f"model.{key}", model[key]),
        )
        for key in design_keys([model])
        if model[key] != before[key]
    ]
    if any(parent.role == "teacher" for parent in run.record.parents):
        phrases.append(words.say("hypotheses.taught", teacher=show_parent(page, run, "teacher")))
    return Safe("<br>".join(phrases)) or words.say("none")


def _measured(page: Page, run: Run, *, told: bool) -> Safe:
    """Write the metric that decides, and on what it was measured unless that is TOLD."""
    words, primary = page.words, run.primary
    if primary is None:
        return words.say("not_measured")
    text = f"{words.title(primary)} {words.value(primary)}"
    data = "" if told else _data(page, run)
    return Safe(f"{text} ({data})" if data else text)


def _data(page: Page, run: Run) -> Safe:
    measured = evaluation(run)
    return Safe("") if measured is None else page.words.short(measured)
