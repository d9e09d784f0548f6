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

from featherface.evaluation.curves import THRESHOLDS, score_levels
from featherface.evaluation.matches import MatchRecords, SubsetMatches
from featherface.evaluation.matching import pair
from featherface.evaluation.names import some
from featherface.evaluation.suspicion import suspicions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.evaluation.matching import Pairing


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
    pairing: Pairing
    """Which detection lies on which face, for whatever else is asked of them."""
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
    pairing = pair(predictions, shared)
    warnings += _oddities(pairing)
    matches = _match(pairing)
    results = {subset: _result(matches, subset) for subset in shared.subsets}
    warnings += [
        f"no face of subset {key} is there: its AP is undefined" for key in _empty(results)
    ]
    warnings += suspicions(pairing, {key: result.ap for key, result in results.items()})
    return Evaluation(
        subsets=results,
        mean_ap=math.fsum(result.ap for result in results.values()) / len(results),
        images=len(shared.images),
        detections=len(pairing.table),
        complete=shared.complete,
        source=shared.source,
        matches=matches,
        pairing=pairing,
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


def _oddities(pairing: Pairing) -> list[str]:
    """Count what the protocol takes as it is, though its owner may not have meant it."""
    scores, picture = pairing.scores, pairing.picture
    sizes = pairing.table[:, 2:4].min(axis=1, initial=np.inf)
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
        warnings.append(
            "no detection in any picture: AP is 0; a network that learnt nothing, weights of"
            " another one, a score threshold too high, or empty files of predictions"
        )
    elif operator.eq(*_score_range(scores)):
        warnings.append("all scores are equal: the protocol can't normalise them and AP is 0")
    return warnings


def _score_range(scores: NDArray[np.float64]) -> tuple[float, float]:
    """Give lowest and highest score, starting from 1 and 0 as the port does."""
    return float(scores.min(initial=1.0)), float(scores.max(initial=0.0))


def _match(pairing: Pairing) -> MatchRecords:
    """Find each detection's level and outcome, in every subset."""
    picture, images = pairing.picture, len(pairing.images)
    low, high = _score_range(pairing.scores)
    levels = _arrival(score_levels(pairing.scores, low, high), picture)
    first = np.zeros(len(pairing.face), dtype=np.bool_)
    first[np.unique(pairing.face, return_index=True)[1]] = True
    reached = levels < THRESHOLDS
    cells = picture * THRESHOLDS + levels  # where each detection joins, in an (I, T) table
    subsets = {}
    for subset, asked in pairing.asked.items():
        counted = reached & pairing.counted(subset)
        hit = counted & first & (pairing.face >= 0)
        subsets[subset] = SubsetMatches(
            faces=np.bincount(pairing.face_picture[asked], minlength=images).astype(np.int32),
            proposals=_joined(cells[counted], images),
            hits=_joined(cells[hit], images),
        )
    return MatchRecords(images=pairing.images, subsets=subsets, score_range=(low, high))


def _arrival(levels: NDArray[np.int32], picture: NDArray[np.intp]) -> NDArray[np.int32]:
    """Lower each level (D,) to the lowest of those behind it in the same picture.

    A detection counts as soon as any later one of its file does. Where files are sorted this
    changes nothing.
    """
    apart = levels + picture * (THRESHOLDS + 1)  # later pictures lie above earlier ones
    lowest = np.minimum.accumulate(apart[::-1])[::-1]
    return (lowest - picture * (THRESHOLDS + 1)).astype(np.int32)


def _joined(cells: NDArray[np.intp], images: int) -> NDArray[np.int32]:
    """Count for each picture the detections that joined up to each threshold: (I, T)."""
    arrivals = np.bincount(cells, minlength=images * THRESHOLDS).reshape(images, THRESHOLDS)
    return np.cumsum(arrivals, axis=1, dtype=np.int32)
