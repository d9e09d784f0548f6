"""The metrics of an evaluation: AP, and how the detector does at the score of its recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from experiments.conditions import Conditions
from experiments.metrics import Metric
from featherface.evaluation import operating_point
from featherface.evaluation.labels import label, spread_landmarks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from featherface.data.annotation import ImageAnnotation
    from featherface.evaluation.config import EvaluateConfig
    from featherface.evaluation.matching import Pairing
    from featherface.evaluation.protocol import Evaluation

WIDEST = "hard"
"""Subset whose faces localisation, landmarks and calibration speak of."""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What every metric of one evaluation has in common."""

    dataset: str
    split: str
    complete: bool
    fingerprint: str
    run: str
    conditions: Conditions = field(default_factory=Conditions)
    """On what the network computed; empty where its predictions are from elsewhere."""
    earlier: bool = False
    """Whether predictions from elsewhere were judged, of whose making only the protocol is told."""
    marks: tuple[str, ...] = ()
    """What must be said beside every value, of `experiments.metrics.MARKS`."""
    maker: str = ""
    """Who made the predictions; empty where this record's network did."""

    def under(self, evaluate: EvaluateConfig, *, decided: bool = False) -> Conditions:
        """Return the conditions of a value; DECIDED where it depends on `evaluate.decision`."""
        manner = Conditions.of_evaluation(evaluate, decided=decided)
        if self.earlier:
            judging = tuple(pair for pair in manner.settings if pair[0] == "decision")
            return replace(manner, settings=judging)
        return manner.on(self.conditions)


def measure(result: Evaluation, evaluate: EvaluateConfig, about: Circumstances) -> list[Metric]:
    """Return the APs, then what holds at the score `evaluate.decision`; NaN is left out."""
    aps = {f"widerface.{name}.ap": subset.ap for name, subset in result.subsets.items()}
    aps["widerface.mean_ap"] = result.mean_ap
    by_ap, by_score = (about.under(evaluate, decided=decided) for decided in (False, True))
    at = at_score(result.pairing, evaluate.decision)
    metrics = [_metric(name, value, by_ap, result.images, about) for name, value in aps.items()]
    metrics += [_metric(name, value, by_score, result.images, about) for name, value in at.items()]
    error = operating_point.calibration(result.pairing, WIDEST).error
    metrics.append(_metric("widerface.calibration_error", error, by_ap, result.images, about))
    return [metric for metric in metrics if metric is not None]


def at_score(pairing: Pairing, score: float) -> dict[str, float]:
    """Return recall and precision of each subset, their means, and the mean IoU of found faces."""
    points = {name: operating_point.point(pairing, name, score) for name in pairing.asked}
    values = {f"widerface.{name}.recall": point.recall for name, point in points.items()}
    values |= {f"widerface.{name}.precision": point.precision for name, point in points.items()}
    values["widerface.recall"] = operating_point.mean([point.recall for point in points.values()])
    values["widerface.precision"] = operating_point.mean(
        [point.precision for point in points.values()]
    )
    values["widerface.localisation"] = operating_point.placement(pairing, WIDEST, score).iou_mean
    return values


def landmark_metric(
    result: Evaluation,
    detected: Mapping[str, NDArray[np.float64]],
    annotations: Sequence[ImageAnnotation],
    evaluate: EvaluateConfig,
    about: Circumstances,
) -> list[Metric]:
    """Return the landmark error; nothing where no found face has labelled landmarks."""
    pairing = result.pairing
    seen = spread_landmarks(pairing, [detected.get(name) for name in pairing.images])
    known = label(pairing, annotations).landmarks
    error = operating_point.landmark_error(pairing, WIDEST, evaluate.decision, seen, known).nme
    under = about.under(evaluate, decided=True)
    metric = _metric("widerface.landmark_error", error, under, result.images, about)
    return [] if metric is None else [metric]


def _metric(
    name: str, value: float, conditions: Conditions, images: int, about: Circumstances
) -> Metric | None:
    if not math.isfinite(value):
        return None
    return Metric(
        name=name,
        value=value,
        unit="fraction",
        dataset=about.dataset,
        split=about.split,
        n=images,
        complete=about.complete,
        fingerprint=about.fingerprint,
        evidence="imported" if about.maker else "measured",
        source=about.run,
        maker=about.maker,
        marks=about.marks,
        conditions=conditions,
    )
