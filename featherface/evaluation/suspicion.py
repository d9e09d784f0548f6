"""Suspicion: signs that detections are not what their owner takes them for, each with its mend.

Every sign was looked for in published detections that are known to be good, and none of them shows
it: there at least three in five of the strongest detections lie on a face.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featherface.evaluation.box_formats import other_format, share_on_faces
from featherface.evaluation.config import EvaluateConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from featherface.evaluation.matching import Pairing

    Boxes = NDArray[np.floating]

FEW = 50
"""Detections from which scores tell anything."""
MANY = 100
"""Detections from which it is strange that none lies on a face."""
NARROW = 0.05
"""Breadth of the band in which no detector leaves all its scores."""
CUT = 0.1
"""Lowest score that a protocol with a cut-off of 0.02 doesn't explain."""
USUAL = 0.3
"""Share of the strongest detections that lie on a face, below which their boxes are looked at."""
NONE = 0.05
"""The same share, below which they may as well lie anywhere."""
NOTHING = 0.05
"""AP that is as good as none."""
SCALE = 4.0
"""How many times larger or smaller than faces boxes are where they are of another picture size."""
OUTSIDE = 0.5
"""Share of boxes beyond every face of the set, from which they are of another picture size."""
PICTURES = 3
"""Pictures from which it is told that no face was found in any."""
SETTINGS = (
    "the weights need other settings than their variant has (priors, variances, slope, pixel mean,"
    " channel order: `thesis model show VARIANT`, `--set model.KEY=VALUE`)"
)


def suspicions(pairing: Pairing, aps: Mapping[str, float]) -> tuple[str, ...]:
    """Say what is suspicious about detections, PAIRING, and the APs by subset that they have.

    Each sentence names the sign, its likely cause, and what mends it; () where nothing is.
    """
    if not len(pairing.table):
        return ()
    return (*_of_scores(pairing.scores), *_of_boxes(pairing, aps))


def cut_off(evaluate: EvaluateConfig) -> str:
    """Say that a network's detections are cut off above the protocol's score; "" if they aren't."""
    usual = EvaluateConfig.score_threshold
    if evaluate.predictions is not None or evaluate.score_threshold <= usual:
        return ""
    return (
        f"detections below a score of {evaluate.score_threshold:g} are left out, where the protocol"
        f" keeps all above {usual:g}, which costs AP: evaluate.score_threshold={usual:g}"
    )


def suspicions_of_pictures(boxes: Sequence[Boxes], sizes: Sequence[tuple[int, int]]) -> list[str]:
    """Say what is suspicious about BOXES (n, 4; corners), an entry for each picture's detections.

    SIZES are the pictures' widths and heights. Nobody knows which faces are there: only what no
    picture explains is told.
    """
    counts = [len(each) for each in boxes]
    if len(counts) >= PICTURES and not sum(counts):
        nothing = f"no face was found in any of {len(counts):,} pictures"
        return [f"{nothing}: take a lower --score, or {SETTINGS}"]
    if sum(counts) < FEW:
        return []
    places = np.concatenate(boxes)
    ends = np.repeat(np.asarray(sizes, dtype=np.float64), counts, axis=0)
    middles = (places[:, :2] + places[:, 2:]) / 2
    away = ((middles < 0) | (middles > ends)).any(axis=1)
    outside = np.asarray(away | (places[:, 2:] - places[:, :2] > 2 * ends).any(axis=1))
    if outside.mean() > OUTSIDE:
        odd = f"{int(outside.sum()):,} of {len(outside):,} boxes lie out of their pictures"
        return [f"{odd}, or are larger: probably {SETTINGS}"]
    return []


def _of_scores(scores: NDArray[np.float64]) -> Iterator[str]:
    low, high = float(scores.min()), float(scores.max())
    if high > 1 or low < 0:
        yield (
            f"scores go from {low:g} to {high:g}, and probabilities from 0 to 1: they are probably"
            " percentages, or what a network says before its softmax; write probabilities, since"
            " recall, precision and calibration take scores as they are"
        )
        return
    if len(scores) >= MANY and 0 < high - low < NARROW:
        yield (
            f"all {len(scores):,} scores lie between {low:.3f} and {high:.3f}: probably another"
            f" column was written as the score, or {SETTINGS}"
        )
    elif len(scores) >= FEW and low >= CUT:
        yield (
            f"no score is below {low:.2f}: the detections were probably cut off there, where the"
            " protocol keeps all above 0.02, which costs AP; detect again with that cut-off"
            " (evaluate.score_threshold=0.02)"
        )


def _of_boxes(pairing: Pairing, aps: Mapping[str, float]) -> Iterator[str]:
    share = share_on_faces(pairing, pairing.table[:, :4])
    if share >= USUAL or not len(pairing.faces):
        return
    count = len(pairing.table)
    hits = f"{share:.0%} of the strongest detections lie on a face"
    if other := other_format(pairing, share):
        yield (
            f"only {hits}: their boxes are probably {other.what}; read so,"
            f" {other.share:.0%} do. {other.mend}"
        )
    elif odd := _other_scale(pairing):
        yield (
            f"only {hits}, and {odd}: they are probably of pictures of another size, or"
            f" {SETTINGS}; give boxes in pixels of the pictures as they are"
        )
    elif (count >= MANY and share < NONE) or _is_nothing(aps):
        values = ", ".join(f"{subset} {ap:.1%}" for subset, ap in aps.items())
        yield (
            f"AP is as good as none ({values}): {hits}, of {count:,}. Probably {SETTINGS}, the"
            " pictures are others than the ground truth's, or the network has hardly learned"
            " (train.epochs)"
        )


def _is_nothing(aps: Mapping[str, float]) -> bool:
    known = [ap for ap in aps.values() if not np.isnan(ap)]
    return bool(known) and max(known) < NOTHING


def _other_scale(pairing: Pairing) -> str:
    """Say how boxes are of another scale than the faces, or out of all pictures; "" if neither."""
    boxes, faces = pairing.table[:, :4], pairing.faces
    if len(boxes) < FEW:
        return ""
    ends = (faces[:, :2] + faces[:, 2:]).max(axis=0)  # of the farthest face of all: within pictures
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    beyond = ((middles > 1.5 * ends) | (middles < 0)).any(axis=1).mean()
    if beyond > OUTSIDE:
        return f"{beyond:.0%} of all lie out of the pictures"
    usual, seen = float(np.median(faces[:, 3])), float(np.median(boxes[:, 3]))
    if not usual / SCALE <= seen <= usual * SCALE:
        return f"their boxes are {seen:.3g} pixels high where faces have {usual:.3g} (medians)"
    return ""
