"""Sentences about the course of one training: final loss, rises, peak of AP, early stop."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.records.run import Run
    from vault_sync.rendering.markdown import Safe
    from vault_sync.rendering.page import Page

    Epochs = Sequence[Mapping[str, Any]]

FEWEST = 4
"""Epochs from which a course can be spoken of."""
NOTICED = 0.001
"""Fall of AP, as a fraction, that is worth a sentence."""


def remarks(page: Page, run: Run, epochs: Epochs) -> list[Safe]:
    """Say what EPOCHS show of RUN: the loss's end and rises, the peak of AP, an early stop."""
    sentences = [
        _stopped(page, run, epochs),
        _loss_at_the_end(page, epochs),
        _rises(page, epochs),
        _peak(page, epochs),
        _kept(page, run, epochs),
    ]
    return [sentence for sentence in sentences if sentence]


def _stopped(page: Page, run: Run, epochs: Epochs) -> Safe | None:
    train = run.recipe.get("train", {})
    planned, patience = int(train.get("epochs", 0)), int(train.get("patience", 0))
    if len(epochs) >= planned or not patience:
        return None
    return page.words.say("trend.stopped", epochs=len(epochs), planned=planned, patience=patience)


def _loss_at_the_end(page: Page, epochs: Epochs) -> Safe | None:
    """Give the change of the loss over the last quarter, whatever it means."""
    if len(epochs) < FEWEST:
        return None
    first, last = epochs[-1 - max(1, len(epochs) // 4)], epochs[-1]
    before, after = float(first["loss"]), float(last["loss"])
    if not before:
        return None
    return page.words.say(
        "trend.end",
        start=int(first["epoch"]),
        stop=int(last["epoch"]),
        before=page.words.number(before, ".3f"),
        after=page.words.number(after, ".3f"),
        change=page.words.number(after / before - 1, "+.1%"),
    )


def _rises(page: Page, epochs: Epochs) -> Safe | None:
    """Say where the loss rose most; the whole course where it ended higher than it began."""
    if len(epochs) < FEWEST:
        return None
    losses = [float(epoch["loss"]) for epoch in epochs]
    if losses[-1] > losses[0]:
        ends = [page.words.number(loss, ".3f") for loss in (losses[0], losses[-1])]
        return page.words.say("trend.higher", first=ends[0], last=ends[1])
    if not all(losses[:-1]):  # no share of nothing
        return None
    steps = [after / before - 1 for before, after in itertools.pairwise(losses)]
    rises = [step for step in steps if step > 0]
    if not rises:
        return page.words.say("trend.falling" if max(steps) < 0 else "trend.never_rose")
    epoch = int(epochs[steps.index(max(rises)) + 1]["epoch"])
    most = page.words.number(max(rises), "+.1%")
    if len(rises) == 1:
        return page.words.say("trend.rise", epoch=epoch, most=most)
    return page.words.say("trend.rises", n=len(rises), of=len(steps), most=most, epoch=epoch)


def _peak(page: Page, epochs: Epochs) -> Safe | None:
    """Say where mean AP was highest, and how far it fell until the end."""
    scored = [epoch for epoch in epochs if "mean_ap" in epoch]
    if len(scored) < 2:
        return page.words.say("trend.once") if scored else page.words.say("trend.never")
    best, last = max(scored, key=lambda epoch: float(epoch["mean_ap"])), scored[-1]
    fall = float(best["mean_ap"]) - float(last["mean_ap"])
    top = page.words.number(float(best["mean_ap"]), ".1%")
    if best is last or not fall:
        return page.words.say("trend.peak_last", value=top)
    if fall < NOTICED:
        return page.words.say("trend.peak_level", epoch=int(best["epoch"]), value=top)
    went_on = float(last["loss"]) < float(best["loss"])
    return page.words.say(
        "trend.peak_fitted" if went_on else "trend.peak",
        epoch=int(best["epoch"]),
        value=top,
        fall=page.words.say("points", n=page.words.number(100 * fall, ".1f")),
    )


def _kept(page: Page, run: Run, epochs: Epochs) -> Safe | None:
    """Warn that the epoch was chosen on the very split whose AP is reported."""
    scored = sum("mean_ap" in epoch for epoch in epochs)
    weights = str(run.results.get("details", {}).get("train", {}).get("weights", ""))
    chosen = scored > 1 and (not weights or "best" in weights)
    return page.words.say("trend.chosen") if chosen else None
