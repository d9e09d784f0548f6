"""From a network's answer to detections in pixels, duplicates too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from featherface.devices.uploads import uploaded
from featherface.errors import WeightsError
from featherface.geometry.boxes import decode_all
from featherface.geometry.detections import Detections
from featherface.geometry.priors import priors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from featherface.engines.engine import Answer
    from featherface.variants.config import DetectorConfig

COLUMNS = 16
"""Of a table of likely faces: picture, score, box, landmarks."""
FEW = 1000
"""Rows that PyTorch decodes on one thread."""


def decoded(
    answer: Answer, config: DetectorConfig, threshold: float, size: tuple[int, int]
) -> Iterator[Detections]:
    """Yield all faces above THRESHOLD in each picture of ANSWER, SIZE (H, W), duplicates too.

    Raises:
        WeightsError: a number is not finite.
    """
    height, width = size
    near = uploaded(priors(config, height, width), answer.scores.device)
    table = _likely(config, threshold, near, answer)
    if not np.isfinite(table).all():
        raise _not_finite()
    scale = np.array((width, height), np.float32)
    first = np.searchsorted(table[:, 0], np.arange(1, len(answer.scores)))
    for rows in np.split(table, first):
        boxes, points = rows[:, 2:6] * np.tile(scale, 2), rows[:, 6:] * np.tile(scale, 5)
        yield Detections(boxes, rows[:, 1].copy(), points)


def _likely(
    config: DetectorConfig, threshold: float, near: Tensor, answer: Answer
) -> NDArray[np.float32]:
    """Return (K, 16) of the priors in a batch whose scores are above THRESHOLD.

    Each row holds the picture's number, the score, and box and points in shares of the picture;
    where a score anywhere is no number, a row of such is added.
    """
    if answer.scores.device.type == "cpu":
        return _likely_on_processor(config, threshold, near, answer)
    return _likely_on_card(config, threshold, near, answer)


def _likely_on_card(
    config: DetectorConfig, threshold: float, near: Tensor, answer: Answer
) -> NDArray[np.float32]:
    """As `_likely`: a card is waited for twice, to know how many there are, and for all of them."""
    scores = answer.scores
    picture, prior = (scores > threshold).nonzero(as_tuple=True)  # (K,) each
    boxes, landmarks = answer.boxes[picture, prior], answer.landmarks[picture, prior]
    corners, points = decode_all(config, boxes.float(), landmarks.float(), near[prior])
    rows = torch.cat((picture[:, None], scores[picture, prior][:, None], corners, points), 1)
    spoilt = torch.where(scores.isfinite().all(), 0.0, torch.nan).expand(1, rows.shape[1])
    table: NDArray[np.float32] = torch.cat((rows, spoilt)).cpu().numpy()
    return table if np.isnan(table[-1]).any() else table[:-1]


def _likely_on_processor(
    config: DetectorConfig, threshold: float, near: Tensor, answer: Answer
) -> NDArray[np.float32]:
    """As `_likely`, on this thread alone: the others are the next pictures' forward pass's.

    NumPy never calls for threads, and PyTorch does not for few rows.
    """
    scores = answer.scores.numpy()
    spoilt = [] if np.isfinite(scores).all() else [np.full((1, COLUMNS), np.nan, np.float32)]
    picture, prior = np.nonzero(scores > np.float32(threshold))  # (K,) each
    deltas = (answer.boxes, answer.landmarks)
    likely = [each.float().numpy()[picture, prior] for each in deltas]  # NumPy has no bfloat16
    table = np.empty((len(picture), COLUMNS), np.float32)
    table[:, 0], table[:, 1] = picture, scores[picture, prior]
    for start in range(0, len(picture), FEW):
        rows = slice(start, start + FEW)
        boxes, landmarks = (torch.from_numpy(each[rows]) for each in likely)
        places = torch.from_numpy(near.numpy()[prior[rows]])
        table[rows, 2:6], table[rows, 6:] = decode_all(config, boxes, landmarks, places)
    return np.concatenate([table, *spoilt])


def _not_finite() -> WeightsError:
    return WeightsError(
        "the network answers with numbers that are not finite: its training diverged,"
        " or the weights are damaged",
        "take an earlier checkpoint, or train again with a lower train.lr",
    )
