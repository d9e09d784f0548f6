"""Advice from a training's own curves: over-fitting, plateau, divergence, imbalance.

Each remark follows from the epochs, the data or the evaluation of one training by a rule that is
written down here; where the rule does not hold, nothing is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Epochs = Sequence[Mapping[str, Any]]

FEWEST = 6
"""Epochs of the same pace from which plateau and divergence are spoken of."""
FALL = 0.01
"""Fall of mean AP after its peak, as a fraction, that is more than a wiggle."""
LATER = 2
"""Evaluations after the peak, all below it, without which it may still be one."""
GAIN = 0.001
"""Rise of mean AP that counts as getting better."""
FLAT = 0.01
"""Relative change of the loss over the last third that is as good as none."""
SPENT = 0.1
"""Share of its highest value at which the learning rate has done its work."""
BLOWN = 1.2
"""Times its least value that a loss has grown to when it diverges."""
RARE = 0.02
"""Share of the faces below which a size is learnt from too few."""
SURE, MISSED = 0.8, 0.5
"""Precision from which a network is right when it says face; recall below which it says so too
rarely. The other way round it says so too readily."""


@dataclass(frozen=True)
class Advice:
    """One remark."""

    code: str
    """What templates/<language>/words/advice.toml words."""
    values: Mapping[str, Any] = field(default_factory=dict)


def advise(
    epochs: Epochs,
    recipe: Mapping[str, Any],
    details: Mapping[str, Any] | None = None,
    scores: Mapping[str, float] | None = None,
) -> list[Advice]:
    """Return what EPOCHS (the events of a training) call for, the gravest first.

    Args:
        epochs: in order; `loss` in each, `mean_ap` where it was measured.
        recipe: plain nested values, `recipe["train"]["epochs"]`.
        details: of the train stage, for what it learnt from: `sizes` and `landmarks`.
        scores: metric -> value, of the evaluation.
    """
    train, distill = recipe.get("train", {}), recipe.get("distill", {})
    alike = stretch(epochs, train, distill)
    findings = [
        *_divergence(alike, train),
        *_overfitting(epochs, alike, train),
        *_plateau(epochs, alike),
        *_sizes((details or {}).get("sizes", {}), _side(train)),
        *_landmarks(details or {}, train),
        *_background(scores or {}, train),
    ]
    if any(finding.code == "divergence" for finding in findings):
        findings = [
            finding
            for finding in findings
            if not finding.code.startswith(("plateau", "overfitting"))
        ]
    return findings


def stretch(epochs: Epochs, train: Mapping[str, Any], distill: Mapping[str, Any]) -> Epochs:
    """Return the last EPOCHS that were trained alike, whose losses alone may be set side by side.

    Larger pictures, harder pictures and another phase of the distillation move the loss by
    themselves.
    """
    planned = int(train.get("epochs", len(epochs)))
    sides = train.get("progressive") or ()
    turns = [-(-place * planned // len(sides)) for place in range(1, len(sides))]
    turns += [math.ceil(float(train.get("curriculum", 0.0)) * planned)]
    phases = distill.get("phases") or ()
    turns += [math.ceil(float(phase.get("until", 1)) * planned - 0.5) for phase in phases]
    done = int(epochs[-1]["epoch"]) if epochs else 0
    start = max((turn for turn in turns if turn < done), default=0)
    return [epoch for epoch in epochs if int(epoch["epoch"]) > start]


def _divergence(alike: Epochs, train: Mapping[str, Any]) -> Iterator[Advice]:
    """The loss has left its least value far behind, and still rises."""
    losses = [float(epoch["loss"]) for epoch in alike]
    if len(losses) < FEWEST:
        return
    least = min(losses)
    rising = losses[-1] > losses[-2] > losses[-3]
    if rising and least > 0 and losses[-1] >= BLOWN * least:
        best = alike[losses.index(least)]
        values = {"least": least, "at": int(best["epoch"]), "last": losses[-1]}
        values |= {"epoch": int(alike[-1]["epoch"]), "lr": float(train.get("lr", 0.0))}
        yield Advice("divergence", values)


def _overfitting(epochs: Epochs, alike: Epochs, train: Mapping[str, Any]) -> Iterator[Advice]:
    """Mean AP falls while the training loss goes on falling."""
    scored = [epoch for epoch in epochs if "mean_ap" in epoch]
    if not scored or scored[-1] is not epochs[-1]:
        return
    best = max(scored, key=lambda epoch: float(epoch["mean_ap"]))
    later = [epoch for epoch in scored if int(epoch["epoch"]) > int(best["epoch"])]
    fall = float(best["mean_ap"]) - float(scored[-1]["mean_ap"])
    falling = best in alike and float(scored[-1]["loss"]) < float(best["loss"])
    if len(later) >= LATER and fall >= FALL and falling:
        values = {"at": int(best["epoch"]), "epoch": int(scored[-1]["epoch"]), "fall": fall}
        values |= {"before": float(best["loss"]), "after": float(scored[-1]["loss"])}
        yield Advice("overfitting" if train.get("patience") else "overfitting_patience", values)


def _plateau(epochs: Epochs, alike: Epochs) -> Iterator[Advice]:
    """Neither loss nor mean AP has got better over the last third."""
    if len(alike) < FEWEST:
        return
    tail = alike[-max(4, len(alike) // 3) :]
    half = len(tail) // 2
    before = fmean(float(epoch["loss"]) for epoch in tail[:half])
    after = fmean(float(epoch["loss"]) for epoch in tail[half:])
    flat = before > 0 and abs(after / before - 1) < FLAT
    if not flat or _improves(epochs, tail):
        return
    rates = [float(epoch["learning_rate"]) for epoch in epochs if "learning_rate" in epoch]
    spent = bool(rates) and rates[-1] <= SPENT * max(rates)
    values: dict[str, Any] = {"start": int(tail[0]["epoch"]), "epoch": int(tail[-1]["epoch"])}
    values |= {"change": after / before - 1, "rate": rates[-1] if rates else 0.0}
    scored = any("mean_ap" in epoch for epoch in tail) and "mean_ap" in _before(epochs, tail)
    code = "plateau_spent" if spent else "plateau"
    yield Advice(code if scored else f"{code}_loss", values)


def _before(epochs: Epochs, tail: Epochs) -> set[str]:
    """Return what the epochs before TAIL tell."""
    return {key for epoch in epochs if int(epoch["epoch"]) < int(tail[0]["epoch"]) for key in epoch}


def _improves(epochs: Epochs, tail: Epochs) -> bool:
    """Whether mean AP was better in TAIL than before it."""
    late = [float(epoch["mean_ap"]) for epoch in tail if "mean_ap" in epoch]
    early = [
        float(epoch["mean_ap"])
        for epoch in epochs
        if "mean_ap" in epoch and int(epoch["epoch"]) < int(tail[0]["epoch"])
    ]
    return bool(late and early) and max(late) > max(early) + GAIN


def _side(train: Mapping[str, Any]) -> float:
    """Return the longest side of the pictures that were learnt from; infinite where unknown."""
    sides = [train.get("image_size"), *(train.get("progressive") or ())]
    known = [float(side) for side in sides if isinstance(side, int | float) and side]
    return max(known) if known else math.inf


def _sizes(sizes: Mapping[str, Any], side: float) -> Iterator[Advice]:
    """A level of the network has hardly any face to learn from.

    Of levels whose faces would be larger than the pictures, SIDE pixels, nothing is said.
    """
    counts, bounds = list(sizes.get("faces", ())), list(sizes.get("bounds", ()))
    total = sum(counts)
    if not total or len(bounds) != len(counts) - 1:
        return
    for place, count in enumerate(counts):
        possible = not place or bounds[place - 1] < side
        if possible and count < RARE * total:
            kind = "small" if not place else "large" if place == len(bounds) else "medium"
            values = {"count": count, "total": total, "share": count / total}
            values |= {
                "low": bounds[max(0, place - 1)],
                "high": bounds[min(place, len(bounds) - 1)],
            }
            yield Advice(f"sizes_{kind}", values)


def _landmarks(details: Mapping[str, Any], train: Mapping[str, Any]) -> Iterator[Advice]:
    """No face tells the landmarks that the loss asks for."""
    total = sum(details.get("sizes", {}).get("faces", ()))
    wanted = float(train.get("landmark_weight", 0.0)) > 0
    if total and wanted and details.get("landmarks") == 0:
        yield Advice("landmarks", {"total": total})


def _background(scores: Mapping[str, float], train: Mapping[str, Any]) -> Iterator[Advice]:
    """The network takes sides with the background, or against it."""
    recall, precision = scores.get("widerface.recall"), scores.get("widerface.precision")
    if recall is None or precision is None:
        return
    values = {"recall": recall, "precision": precision}
    values |= {"negatives": int(train.get("negatives", 0))}
    if recall < MISSED and precision >= SURE:
        yield Advice("background", values)
    elif precision < MISSED and recall >= SURE:
        yield Advice("foreground", values)
