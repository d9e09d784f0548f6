"""Boxes and landmarks: encoding against priors, overlap, suppression of duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from featherface.variants.config import DetectorConfig


def encode(boxes: Tensor, priors: Tensor, variances: tuple[float, float]) -> Tensor:
    """Return the deltas (N,4) that turn PRIORS (N,4; centre form) into BOXES (N,4; corners).

    Boxes and priors are in shares of the picture's width and height.
    """
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2 - priors[..., :2]
    size = (boxes[..., 2:] - boxes[..., :2]) / priors[..., 2:]
    shift = centre / (variances[0] * priors[..., 2:])
    return torch.cat((shift, torch.log(size) / variances[1]), -1)


def decode(deltas: Tensor, priors: Tensor, variances: tuple[float, float]) -> Tensor:
    """Return the boxes (...,N,4; corners) that DELTAS (...,N,4) make of PRIORS (N,4)."""
    centre = priors[..., :2] + deltas[..., :2] * variances[0] * priors[..., 2:]
    size = priors[..., 2:] * torch.exp(deltas[..., 2:] * variances[1])
    first = centre - size / 2
    return torch.cat((first, first + size), -1)


def encode_landmarks(points: Tensor, priors: Tensor, variances: tuple[float, float]) -> Tensor:
    """Return the deltas (N,10) of POINTS (N,10: five times x, y) from PRIORS' centres."""
    pairs = points.reshape(*points.shape[:-1], 5, 2)
    shift = (pairs - priors[..., None, :2]) / (variances[0] * priors[..., None, 2:])
    return shift.reshape(points.shape)


def decode_landmarks(deltas: Tensor, priors: Tensor, variances: tuple[float, float]) -> Tensor:
    """Return the points (...,N,10) that DELTAS (...,N,10) make of PRIORS (N,4)."""
    pairs = deltas.reshape(*deltas.shape[:-1], 5, 2)
    points = priors[..., None, :2] + pairs * variances[0] * priors[..., None, 2:]
    return points.reshape(deltas.shape)


def corners_of(centred: Tensor) -> Tensor:
    """Turn (...,4) centre x, y, width, height into corners x1, y1, x2, y2."""
    half = centred[..., 2:] / 2
    return torch.cat((centred[..., :2] - half, centred[..., :2] + half), -1)


def iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the overlaps (A,B) of FIRST (A,4) with SECOND (B,4), corners, no +1 pixel."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    common = (high - low).clamp_min(0).prod(-1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (first, second)]
    return common / (areas[0][:, None] + areas[1][None] - common)


def nms(
    boxes: NDArray[Any] | Tensor,
    scores: NDArray[Any] | Tensor,
    threshold: float,
    *,
    plus_one: bool = True,
) -> NDArray[np.int64]:
    """Return the indices kept of BOXES (N,4; corners in pixels), best score first.

    A box goes when it overlaps a better one by more than THRESHOLD. With PLUS_ONE a box from
    3 to 5 is three pixels wide, the convention of the WIDER FACE tools.
    """
    corners, order = _sorted(boxes, scores)
    extra = 1.0 if plus_one else 0.0
    areas = np.prod(corners[:, 2:] - corners[:, :2] + extra, axis=1)
    kept: list[int] = []
    left = np.arange(len(order))
    while left.size:
        best, left = left[0], left[1:]
        kept.append(best)
        low = np.maximum(corners[best, :2], corners[left, :2])
        high = np.minimum(corners[best, 2:], corners[left, 2:])
        common = np.prod(np.maximum(high - low + extra, 0.0), axis=1)
        left = left[common <= threshold * (areas[best] + areas[left] - common)]
    return order[np.asarray(kept, dtype=np.int64)]


def decode_all(
    config: DetectorConfig, boxes: Tensor, landmarks: Tensor, priors: Tensor
) -> tuple[Tensor, Tensor]:
    """Decode raw BOXES (...,N,4) and LANDMARKS (...,N,10) with the variant's variances."""
    return (
        decode(boxes, priors, config.variances),
        decode_landmarks(landmarks, priors, config.variances),
    )


def _sorted(
    boxes: NDArray[Any] | Tensor, scores: NDArray[Any] | Tensor
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return BOXES by falling score, and the order; equal scores keep theirs."""
    score = _array(scores)
    order = np.argsort(-score, kind="stable").astype(np.int64)
    return _array(boxes)[order], order


def _array(values: NDArray[Any] | Tensor) -> NDArray[np.float64]:
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)
