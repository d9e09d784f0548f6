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
    scores = {one.name: one.value for one in run.metrics} if run.sealed else {}
    return [_word(page, one) for one in advise(epochs, run.recipe, details, scores)]


def _word(page: Page, one: Advice) -> Safe:
    words, told = page.words, dict(one.values)
    if "fall" in told:
        told["fall"] = words.say("points", n=words.number(100 * float(told["fall"]), ".1f"))
    told |= {key: words.number(float(told[key]), SPECS[key]) for key in SPECS if key in told}
    return words.say(f"advice.{one.code}", **told)
