"""Boxes and landmarks: encoding against priors, and overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
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


def decode_all(
    config: DetectorConfig, boxes: Tensor, landmarks: Tensor, priors: Tensor
) -> tuple[Tensor, Tensor]:
    """Decode raw BOXES (...,N,4) and LANDMARKS (...,N,10) with the variant's variances."""
    return (
        decode(boxes, priors, config.variances),
        decode_landmarks(landmarks, priors, config.variances),
    )
