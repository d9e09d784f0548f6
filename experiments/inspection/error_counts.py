"""Errors of an evaluation, counted by subset, score, kind of face, place and confidence."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.accuracy import WIDEST
from featherface.errors import UsageError, unknown
from featherface.evaluation import operating_point
from featherface.evaluation.breakdown import GROUPINGS, break_down

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.inspection.detection_review import DetectionReview


def count_errors(
    case: DetectionReview,
    scores: Sequence[float],
    subset: str = WIDEST,
    by: Sequence[str] = GROUPINGS,
) -> dict[str, Any]:
    """Return plain values: recall and precision at SCORES, and the rest at the first of them.

    Raises:
        UsageError: SUBSET or one of BY is not known.
    """
    pairing = case.result.pairing
    if subset not in pairing.asked:
        raise UsageError(unknown("subset", subset, pairing.asked))
    score = scores[0]
    known = np.isfinite(case.labels.landmarks).all(axis=1)
    landmarks = operating_point.landmark_error(
        pairing, subset, score, case.landmarks, case.labels.landmarks
    )
    return {
        "name": case.name,
        "images": case.result.images,
        "complete": case.result.complete,
        "dataset": case.metric.dataset if case.metric else None,
        "ground_truth": case.result.source,
        "protocol": case.metric.protocol if case.metric else None,
        "subset": subset,
        "score": score,
        "points": [row for threshold in scores for row in _points(case, threshold)],
        "placement": dataclasses.asdict(operating_point.placement(pairing, subset, score)),
        "landmarks": dataclasses.asdict(landmarks) | {"labelled": int(known.sum())},
        "calibration": dataclasses.asdict(operating_point.calibration(pairing, subset)),
        "breakdown": {grouping: _breakdown(case, grouping, subset, score) for grouping in by},
    }


def _points(case: DetectionReview, score: float) -> list[dict[str, Any]]:
    """Give the rows of each subset, and of their plain mean, at one score."""
    pairing = case.result.pairing
    each = {name: operating_point.point(pairing, name, score) for name in pairing.asked}
    rows: list[dict[str, Any]] = [
        {
            "subset": name,
            "score": score,
            **dataclasses.asdict(localisation),
            "recall": localisation.recall,
            "precision": localisation.precision,
        }
        for name, localisation in each.items()
    ]
    both = {
        key: operating_point.mean([getattr(localisation, key) for localisation in each.values()])
        for key in ("recall", "precision")
    }
    return [*rows, {"subset": "mean", "score": score, **both}]


def _breakdown(case: DetectionReview, by: str, subset: str, score: float) -> list[dict[str, Any]]:
    result = case.result
    rows = break_down(
        result.pairing, result.matches, case.labels, by=by, subset=subset, score=score
    )
    return [
        dataclasses.asdict(row) | {"recall": row.recall, "recall_any": row.recall_any}
        for row in rows
    ]
