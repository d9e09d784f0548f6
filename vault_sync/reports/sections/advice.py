"""Recommendations that follow from a training's own numbers, in the words of a language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.inspection.training_advice import advise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.inspection.training_advice import Advice
    from experiments.records.run import Run
    from vault_sync.rendering.markdown import Safe
    from vault_sync.rendering.page import Page

SPECS = {
    **dict.fromkeys(("least", "last", "before", "after"), ".3f"),
    **dict.fromkeys(("lr", "rate"), ".2g"),
    **dict.fromkeys(("share", "recall", "precision"), ".1%"),
    "change": "+.1%",
}
"""How values are written; those not named here are counts."""


def advice(page: Page, run: Run, epochs: Sequence[Mapping[str, Any]]) -> list[Safe]:
    """Say what EPOCHS of RUN call for; of a finished run also what its data and evaluation do."""
    details = run.results.get("details", {}).get("train", {}) if run.sealed else {}
    scores = {metric.name: metric.value for metric in run.metrics} if run.sealed else {}
    return [
        _word(page, recommendation)
        for recommendation in advise(epochs, run.recipe, details, scores)
    ]


def _word(page: Page, recommendation: Advice) -> Safe:
    words, values = page.words, dict(recommendation.values)
    if "fall" in values:
        values["fall"] = words.say("points", n=words.number(100 * float(values["fall"]), ".1f"))
    values |= {key: words.number(float(values[key]), SPECS[key]) for key in SPECS if key in values}
    return words.say(f"advice.{recommendation.code}", **values)
