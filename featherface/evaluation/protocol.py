"""The official WIDER FACE evaluation, vectorised.

It follows the public Python port of the official MATLAB tools bit for bit
(https://github.com/wondervictor/WiderFace-Evaluation), quirks included:

- scores are normalised by the lowest and highest of the whole set, 1,000 thresholds divide them;
- detections are taken in file order: at a threshold, all those up to the last one that reaches it;
- each detection belongs to the face it covers best, and to no other, at an IoU of at least 0.5;
- detections on faces that the subset does not ask for are ignored, those on a face found before
  count as false;
- detections on pictures without any face do not count at all.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.errors import DataError
from featherface.evaluation.curves import THRESHOLDS, score_levels
from featherface.evaluation.matches import MatchRecords, SubsetMatches
from featherface.evaluation.names import some
from featherface.evaluation.overlaps import assign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featherface.evaluation.ground_truth import GroundTruth


@dataclass(frozen=True, kw_only=True)
class SubsetResult:
    """One subset's curve and the area under it."""

    ap: float
    """Average precision in [0, 1]; NaN where the subset asks for no face."""
    faces: int
    recall: NDArray[np.float64]
    """(1000,): at each threshold, from the strictest."""
    precision: NDArray[np.float64]
    """(1000,): 0 where nothing is proposed yet."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What the protocol answers on a set of predictions."""

    subsets: Mapping[str, SubsetResult]
    """easy, medium, hard."""
    mean_ap: float
    """Mean of the subsets' APs; NaN where one of them is."""
    images: int
    """Pictures evaluated."""
    detections: int
    complete: bool
    """Whether every picture of the ground truth's set was evaluated."""
    source: str
    """Where the subsets come from: `official lists` or `built from annotation`."""
    matches: MatchRecords
    warnings: tuple[str, ...]
    """What a reader of the numbers must know, counted, with examples."""


def evaluate(predictions: Mapping[str, NDArray[np.float64]], truth: GroundTruth) -> Evaluation:
    """Evaluate PREDICTIONS, per picture (n, 5) x, y, width, height, score in file order.

    Pictures without an entry are left out of the ground truth, which makes the evaluation
    incomplete and is warned about; an empty entry means that nothing was found.

    Raises:
        DataError: no prediction belongs to the ground truth, or a value is not finite.
    """
    shared, warnings = _shared(predictions, truth)
    detections = _Detections.of(predictions, shared.images)
    warnings += _oddities(detections)
    matches = _match(detections, shared)
    results = {subset: _result(matches, subset) for subset in shared.subsets}
    warnings += [
        f"no face of subset {key} is there: its AP is undefined" for key in _empty(results)
    ]
    return Evaluation(
        subsets=results,
        mean_ap=math.fsum(result.ap for result in results.values()) / len(results),
        images=len(shared.images),
        detections=len(detections.table),
        complete=shared.complete,
        source=shared.source,
        matches=matches,
        warnings=(*getattr(predictions, "warnings", ()), *warnings),
    )


def _result(matches: MatchRecords, subset: str) -> SubsetResult:
    precision, recall = matches.curve(subset)
    return SubsetResult(
        ap=matches.ap(subset),
        faces=int(matches.subsets[subset].faces.sum()),
        recall=recall,
        precision=precision,
    )


def _empty(results: Mapping[str, SubsetResult]) -> list[str]:
    return [key for key, result in results.items() if not result.faces]


def _shared(
    predictions: Mapping[str, NDArray[np.float64]], truth: GroundTruth
) -> tuple[GroundTruth, list[str]]:
    """Restrict the ground truth to the pictures that have predictions, and say so."""
    missing = [name for name in truth.images if name not in predictions]
    warnings = list(truth.warnings)
    if not missing:
        extra = sorted(set(predictions).difference(truth.images))
        if extra:
            warnings.append(
                f"predicted pictures that the ground truth lacks: {len(extra):,} ({some(extra)})"
            )
        return truth, warnings
    restricted = truth.restrict(predictions)
    warnings = list(restricted.warnings)
    warnings.append(
        f"pictures of the ground truth without predictions, left out: {len(missing):,} of"
        f" {len(truth.images):,} ({some(missing)})"
    )
    return restricted, warnings


@dataclass(frozen=True)
class _Detections:
    """The detections of all pictures, one after the other."""

    table: NDArray[np.float64]  # (D, 5): x, y, width, height, score
    picture: NDArray[np.intp]  # (D,): the picture's row

    @classmethod
    def of(
        cls, predictions: Mapping[str, NDArray[np.float64]], names: tuple[str, ...]
    ) -> _Detections:
        tables = [np.reshape(predictions[name], (-1, 5)) for name in names]
        table = np.concatenate(tables, dtype=np.float64)
        picture = np.repeat(np.arange(len(names)), [len(part) for part in tables])
        wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
        if len(wrong):
            raise DataError(
                f"a detection of {names[picture[wrong[0]]]} is not finite: {table[wrong[0]]}",
                "check the weights: a diverged training gives such numbers",
            )
        return cls(table, picture)


def _oddities(detections: _Detections) -> list[str]:
    """Count what the protocol takes as it is, though its owner may not have meant it."""
    scores, picture = detections.table[:, 4], detections.picture
    sizes = detections.table[:, 2:4].min(axis=1, initial=np.inf)
    rising = (np.diff(scores) > 0) & (np.diff(picture) == 0)
    counts = {
        "pictures whose detections are not sorted by score (the protocol takes them in file"
        " order)": len(np.unique(picture[1:][rising])),
        "detections with a negative score": int((scores < 0).sum()),
        "detections without width or height": int((sizes == 0).sum()),
        "detections with a negative width or height": int((sizes < 0).sum()),
    }
    warnings = [f"{what}: {count:,}" for what, count in counts.items() if count]
    if not len(scores):
        warnings.append("there is not a single detection")
    elif operator.eq(*_score_range(scores)):
        warnings.append("all scores are equal: the protocol can't normalise them and AP is 0")
    return warnings


def _score_range(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Give lowest and highest score, starting from 1 and 0 as the port does."""
    return float(scores.min(initial=1.0)), float(scores.max(initial=0.0))


def _match(detections: _Detections, truth: GroundTruth) -> MatchRecords:
    """Find each detection's level and outcome, in every subset."""
    scores, picture = detections.table[:, 4], detections.picture
    low, high = _score_range(scores)
    levels = _arrival(score_levels(scores, low, high), picture)
    sizes = np.array([len(boxes) for boxes in truth.boxes])
    faces = np.concatenate(truth.boxes)
    face = assign(detections.table[:, :4], picture, faces, np.repeat(np.arange(len(sizes)), sizes))
    first = np.zeros(len(face), dtype=np.bool_)
    first[np.unique(face, return_index=True)[1]] = True
    counted = (levels < THRESHOLDS) & (sizes > 0)[picture]
    cells = picture * THRESHOLDS + levels  # where each detection joins, in an (I, T) table
    subsets = {}
    for subset, kept in truth.subsets.items():
        asked = _asked(sizes, kept)[face]
        subsets[subset] = SubsetMatches(
            faces=np.array([len(rows) for rows in kept], dtype=np.int32),
            proposals=_joined(cells[counted & (asked | (face < 0))], len(sizes)),
            hits=_joined(cells[counted & asked & first], len(sizes)),
        )
    return MatchRecords(images=truth.images, subsets=subsets, score_range=(low, high))


def _arrival(levels: NDArray[np.int32], picture: NDArray[np.intp]) -> NDArray[np.int32]:
    """Lower each level (D,) to the lowest of those behind it in the same picture.

    A detection counts as soon as any later one of its file does. Where files are sorted this
    changes nothing.
    """
    apart = levels + picture * (THRESHOLDS + 1)  # later pictures lie above earlier ones
    lowest = np.minimum.accumulate(apart[::-1])[::-1]
    return (lowest - picture * (THRESHOLDS + 1)).astype(np.int32)


def _asked(sizes: NDArray[np.intp], kept: tuple[NDArray[np.intp], ...]) -> NDArray[np.bool_]:
    """Mark the faces that a subset asks for, over the whole set, with one more for `no face`."""
    starts = np.repeat(np.cumsum(sizes) - sizes, [len(rows) for rows in kept])
    asked = np.zeros(sizes.sum() + 1, dtype=np.bool_)
    asked[np.concatenate(kept) + starts] = True
    return asked


def _joined(cells: NDArray[np.intp], images: int) -> NDArray[np.int32]:
    """Count for each picture the detections that joined up to each threshold: (I, T)."""
    arrivals = np.bincount(cells, minlength=images * THRESHOLDS).reshape(images, THRESHOLDS)
    return np.cumsum(arrivals, axis=1, dtype=np.int32)
