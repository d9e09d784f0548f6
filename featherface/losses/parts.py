"""The table of loss parts, by the names of `train.loss`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

from featherface.devices.dtypes import widened
from featherface.geometry.boxes import decode, encode, encode_landmarks
from featherface.losses.overlap import ciou, diou, eiou

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from featherface.losses.config import LossConfig

LEAST_DELTA = 60.0
"""Log sizes beyond this overflow when decoded; an untrained network stays far below."""


class Matched(NamedTuple):
    """Predictions and targets of the positive priors, a row (...) for each."""

    predicted: Tensor
    """(..., n) deltas."""
    wanted: Tensor
    """(..., n) corners or points, shares of the picture's sides."""
    priors: Tensor
    """(..., 4) centre form, in the same shares."""
    variances: tuple[float, float]


def smooth_box(matched: Matched, loss: LossConfig) -> Tensor:
    """Return (..., 4) the smooth-L1 distances of deltas."""
    del loss
    wanted = encode(matched.wanted, matched.priors, matched.variances)
    return functional.smooth_l1_loss(widened(matched.predicted), wanted, reduction="none")


def _decoded(criterion: Callable[[Tensor, Tensor], Tensor]) -> BoxLoss:
    def compare(matched: Matched, loss: LossConfig) -> Tensor:
        del loss
        deltas = widened(matched.predicted).clamp(-LEAST_DELTA, LEAST_DELTA)
        boxes = decode(deltas, matched.priors, matched.variances)
        return criterion(boxes, matched.wanted)[..., None]

    return compare


def smooth_landmark(matched: Matched, loss: LossConfig) -> Tensor:
    """Return (..., 10) the smooth-L1 distances of deltas."""
    del loss
    wanted = encode_landmarks(matched.wanted, matched.priors, matched.variances)
    return functional.smooth_l1_loss(widened(matched.predicted), wanted, reduction="none")


def wing(matched: Matched, loss: LossConfig) -> Tensor:
    """Return (..., 10) the Wing loss of errors in percent of the prior's side, over its width.

    Feng et al., 2017, https://arxiv.org/abs/1711.06753. Differs: errors are in percent of the
    prior's side, not in pixels of a face brought to one size, and the loss is divided by the
    width, so that it is about as large as smooth-L1 is.
    """
    wanted = encode_landmarks(matched.wanted, matched.priors, matched.variances)
    error = 100 * matched.variances[0] * (widened(matched.predicted) - wanted).abs()
    width, curvature = loss.wing_width, loss.wing_curvature
    step = width - width * math.log1p(width / curvature)
    small = width * torch.log1p(error / curvature)
    return torch.where(error < width, small, error - step) / width


def cross_entropy(logits: Tensor, wanted: Tensor) -> Tensor:
    """Return (B, P) the cross-entropy of LOGITS (B, P, 2) with WANTED (B, P) 0 or 1."""
    return logits.logsumexp(-1) - logits.gather(-1, wanted[..., None])[..., 0]


def focal(logits: Tensor, quality: Tensor, loss: LossConfig) -> Tensor:
    """Return (B, P) the focal loss (Lin et al., 2017, https://arxiv.org/abs/1708.02002).

    QUALITY (B, P) is above 0 on face priors. The two logits' softmax is the sigmoid of their
    difference, so this is the published loss on that difference.
    """
    face = quality > 0
    entropy = cross_entropy(logits, face.long())
    certain = (-entropy).exp()  # probability of what is right
    alpha = torch.where(face, entropy.new_full((), loss.focal_alpha), 1 - loss.focal_alpha)
    return alpha * (1 - certain).clamp_min(0) ** loss.focal_gamma * entropy


def quality_focal(logits: Tensor, quality: Tensor, loss: LossConfig) -> Tensor:
    """Return (B, P) the quality focal loss (Li et al., 2020, https://arxiv.org/abs/2006.04388).

    A face prior's score is to be QUALITY (B, P), the IoU of its predicted box; elsewhere it is 0.
    """
    difference = logits[..., 1] - logits[..., 0]
    entropy = functional.binary_cross_entropy_with_logits(difference, quality, reduction="none")
    return (quality - difference.sigmoid()).abs() ** loss.focal_gamma * entropy


if TYPE_CHECKING:
    BoxLoss = Callable[[Matched, LossConfig], Tensor]
    FaceLoss = Callable[[Tensor, Tensor, LossConfig], Tensor]

BOXES: dict[str, BoxLoss] = {
    "smooth-l1": smooth_box,
    "diou": _decoded(diou),
    "ciou": _decoded(ciou),
    "eiou": _decoded(eiou),
}
LANDMARKS: dict[str, BoxLoss] = {"smooth-l1": smooth_landmark, "wing": wing}
DENSE: dict[str, FaceLoss] = {"focal": focal, "quality-focal": quality_focal}
"""Losses over every prior; cross-entropy takes hard background priors only."""
