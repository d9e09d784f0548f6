"""Recall, precision, localisation and calibration at one score threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from featherface.evaluation.matching import Pairing

BINS = 10
"""Of the scores from 0 to 1, for calibration."""


@dataclass(frozen=True)
class OperatingPoint:
    """Counts in one subset, of the detections that score at least so much."""

    faces: int
    found: int
    proposals: int
    """Detections that count; those on ignored faces don't."""

    @property
    def recall(self) -> float:
        """Share of the faces that are found; NaN without faces."""
        return self.found / self.faces if self.faces else math.nan

    @property
    def precision(self) -> float:
        """Share of the proposals that found a face of their own; NaN without proposals."""
        return self.found / self.proposals if self.proposals else math.nan


@dataclass(frozen=True)
class Localisation:
    """How well boxes and landmarks lie on the faces that are found."""

    faces: int
    iou_mean: float
    """In 0.5..1; NaN without faces, as the others."""
    iou_median: float
    centre: float
    """Mean distance of the centres, as a share of the face's size (root of width x height)."""
    width: float
    """Median of detected width over true width."""
    height: float
    """Median of detected height over true height."""


@dataclass(frozen=True)
class LandmarkError:
    """How far detected landmarks lie from the labelled ones."""

    faces: int
    """Found faces with labelled landmarks."""
    nme: float
    """Mean distance as a share of the face's size (root of width x height); NaN without faces."""
    points: tuple[float, ...]
    """The same for each of the five points."""


@dataclass(frozen=True)
class CalibrationBin:
    """The detections whose scores lie in one range."""

    low: float
    high: float
    detections: int
    score: float
    """Their mean score; NaN where there is none."""
    right: float
    """Share of them that found a face of their own; NaN where there is none."""


@dataclass(frozen=True)
class Calibration:
    """Whether a score of 0.7 means that 7 of 10 detections are right."""

    bins: tuple[CalibrationBin, ...]
    error: float
    """Expected calibration error (Naeini et al., 2015): mean distance of score and share of right
    detections over the bins, weighted by detections; NaN without detections."""


def point(pairing: Pairing, subset: str, score: float) -> OperatingPoint:
    """Count what detections of at least SCORE find in SUBSET.

    A second detection of a face is a false one. Scores are taken as they are, not normalised.
    """
    sure = pairing.counted(subset) & (pairing.scores >= score)
    on = pairing.face[sure & (pairing.face >= 0)]
    return OperatingPoint(int(pairing.asked[subset].sum()), len(np.unique(on)), int(sure.sum()))


def mean(values: Sequence[float]) -> float:
    """Return the plain mean; NaN where one of VALUES is, or there is none."""
    return math.fsum(values) / len(values) if values else math.nan


def placement(pairing: Pairing, subset: str, score: float) -> Localisation:
    """Measure the surest box on each face of SUBSET found by a detection of at least SCORE."""
    faces, rows = found_faces(pairing, subset, score)
    if not len(faces):
        return Localisation(0, *[math.nan] * 5)
    true, seen = pairing.faces[faces], pairing.table[rows, :4]
    size = np.sqrt(np.maximum(true[:, 2] * true[:, 3], 1.0))
    shift = (seen[:, :2] + seen[:, 2:] / 2) - (true[:, :2] + true[:, 2:] / 2)
    ratios = np.median(seen[:, 2:] / np.maximum(true[:, 2:], 1.0), axis=0)
    overlap = pairing.overlap[rows]
    return Localisation(
        faces=len(faces),
        iou_mean=float(overlap.mean()),
        iou_median=float(np.median(overlap)),
        centre=float((np.hypot(*shift.T) / size).mean()),
        width=float(ratios[0]),
        height=float(ratios[1]),
    )


def landmark_error(
    pairing: Pairing,
    subset: str,
    score: float,
    detected: NDArray[np.float64],
    labelled: NDArray[np.float64],
) -> LandmarkError:
    """Compare DETECTED points (D, 10) with LABELLED ones (F, 10), both NaN where unknown."""
    faces, rows = found_faces(pairing, subset, score)
    apart = (detected[rows] - labelled[faces]).reshape(-1, 5, 2)
    known = np.isfinite(apart).all(axis=(1, 2))
    if not known.any():
        return LandmarkError(0, math.nan, (math.nan,) * 5)
    true = pairing.faces[faces[known]]
    size = np.sqrt(np.maximum(true[:, 2] * true[:, 3], 1.0))
    distance = np.hypot(apart[known, :, 0], apart[known, :, 1]) / size[:, None]  # (K, 5)
    return LandmarkError(
        int(known.sum()), float(distance.mean()), tuple(distance.mean(axis=0).tolist())
    )


def calibration(pairing: Pairing, subset: str) -> Calibration:
    """Compare scores with how often they are right; the surest detection of a face is right."""
    counted = np.flatnonzero(pairing.counted(subset))
    right = np.zeros(len(pairing.scores), dtype=np.bool_)
    finders = pairing.finders()
    right[finders[finders >= 0]] = True
    scores, hits = pairing.scores[counted], right[counted]
    place = np.clip((scores * BINS).astype(np.intp), 0, BINS - 1)
    bins = tuple(
        _bin(number, scores[place == number], hits[place == number]) for number in range(BINS)
    )
    if not len(scores):
        return Calibration(bins, math.nan)
    gaps = [
        calibration_bin.detections * abs(calibration_bin.score - calibration_bin.right)
        for calibration_bin in bins
        if calibration_bin.detections
    ]
    return Calibration(bins, math.fsum(gaps) / len(scores))


def found_faces(
    pairing: Pairing, subset: str, score: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List the faces of SUBSET that are found at SCORE, and the surest detection on each."""
    finders = pairing.finders()
    faces = np.flatnonzero(pairing.asked[subset] & (finders >= 0))
    faces = faces[pairing.scores[finders[faces]] >= score]
    return faces, finders[faces]


def _bin(number: int, scores: NDArray[np.float64], hits: NDArray[np.bool_]) -> CalibrationBin:
    ends = number / BINS, (number + 1) / BINS
    if not len(scores):
        return CalibrationBin(*ends, 0, math.nan, math.nan)
    return CalibrationBin(*ends, len(scores), float(scores.mean()), float(hits.mean()))
