"""The official FeatherFace loss, RetinaFace's MultiBox loss, for a whole batch at once.

SSD: Liu et al., 2016, https://arxiv.org/abs/1512.02325; RetinaFace: Deng et al., 2019,
https://arxiv.org/abs/1905.00641.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch.nn import functional

from featherface.assignment import assign
from featherface.boxes import encode, encode_landmarks

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.assignment import Targets


class Predictions(Protocol):
    """What a detector gives: raw deltas and logits."""

    @property
    def boxes(self) -> Tensor:
        """(B, P, 4)."""

    @property
    def logits(self) -> Tensor:
        """(B, P, 2): background, face."""

    @property
    def landmarks(self) -> Tensor:
        """(B, P, 10)."""


class MultiBoxLosses(NamedTuple):
    """The three parts before any weight, each a scalar."""

    box: Tensor
    """Smooth-L1, per face prior."""
    face: Tensor
    """Cross-entropy of face against background, per face prior."""
    landmark: Tensor
    """Smooth-L1, per face prior whose landmarks are known."""


def multibox(
    predictions: Predictions,
    priors: Tensor,
    targets: Targets,
    *,
    variances: tuple[float, float] = (0.1, 0.2),
    overlap: float = 0.35,
    negatives: int = 7,
) -> MultiBoxLosses:
    """Compare PREDICTIONS with TARGETS; PRIORS (P, 4) are in centre form.

    Priors that overlap a face by OVERLAP (IoU) learn it; NEGATIVES times as many of each
    picture's worst other priors learn the background.
    """
    face, positive = assign(priors, targets, overlap)
    picture, prior = positive.nonzero(as_tuple=True)  # (K,) each
    chosen = face[picture, prior]
    boxes = encode(targets.boxes[picture, chosen], priors[prior], variances)
    box = _smooth_l1(predictions.boxes[picture, prior], boxes, len(picture))
    marked = targets.marked[picture, chosen]
    picture, prior, chosen = picture[marked], prior[marked], chosen[marked]
    points = encode_landmarks(targets.landmarks[picture, chosen], priors[prior], variances)
    landmark = _smooth_l1(predictions.landmarks[picture, prior], points, len(picture))
    return MultiBoxLosses(box, _class_loss(predictions.logits, positive, negatives), landmark)


def _smooth_l1(predicted: Tensor, wanted: Tensor, count: int) -> Tensor:
    total = functional.smooth_l1_loss(predicted.float(), wanted, reduction="sum")
    return total / max(count, 1)


def _class_loss(logits: Tensor, positive: Tensor, negatives: int) -> Tensor:
    """Cross-entropy over face priors and hard background priors, per face prior."""
    scores = logits.float()
    wanted = positive.long()[..., None]
    entropy = scores.logsumexp(-1) - scores.gather(-1, wanted)[..., 0]  # (B, P)
    counts = positive.sum(1)
    hard = hardest(entropy.detach().masked_fill(positive, 0.0), counts * negatives)
    return entropy[positive | hard].sum() / counts.sum().clamp_min(1)


def hardest(values: Tensor, counts: Tensor) -> Tensor:
    """Mark (B, P) the COUNTS (B,) largest VALUES (B, P) of each row, at most P - 1."""
    counts = counts.clamp(max=values.shape[1] - 1)
    most = int(counts.max()) if len(counts) else 0
    order = values.topk(most, dim=1).indices  # (B, most)
    inside = torch.arange(most, device=values.device) < counts[:, None]
    return torch.zeros_like(values, dtype=torch.bool).scatter_(1, order, inside)
