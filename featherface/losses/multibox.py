"""The official FeatherFace loss, RetinaFace's MultiBox loss, for a whole batch at once.

SSD: Liu et al., 2016, https://arxiv.org/abs/1512.02325; RetinaFace: Deng et al., 2019,
https://arxiv.org/abs/1905.00641.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from featherface.devices.all_reduce import divisor
from featherface.devices.dtypes import widened
from featherface.geometry.boxes import corners_of, decode
from featherface.geometry.priors import Levels
from featherface.losses.config import LossConfig
from featherface.losses.matching import MATCHINGS, MatchingInputs
from featherface.losses.overlap import paired_iou
from featherface.losses.parts import BOXES, DENSE, LANDMARKS, Matched, cross_entropy
from featherface.losses.selection import looked_up, select
from featherface.losses.weighting import weigh

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.losses.assignment import Targets
    from featherface.losses.selection import PriorSelection


class RawPredictions(Protocol):
    """Raw outputs of a detector for B pictures of P priors: deltas and logits."""

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
    """Smooth-L1 of the deltas, or a loss of overlap, per face prior."""
    face: Tensor
    """Cross-entropy or focal loss of face against background, per face prior."""
    landmark: Tensor
    """Smooth-L1 or Wing, per face prior whose landmarks are known."""


OFFICIAL = LossConfig()


def multibox(
    predictions: RawPredictions,
    priors: Tensor,
    targets: Targets,
    *,
    variances: tuple[float, float] = (0.1, 0.2),
    overlap: float = 0.35,
    negatives: int = 7,
    loss: LossConfig = OFFICIAL,
    levels: Levels | None = None,
) -> MultiBoxLosses:
    """Compare PREDICTIONS with TARGETS; PRIORS (P, 4) are in centre form.

    Priors that overlap a face by OVERLAP (IoU) learn it; NEGATIVES times as many of each
    picture's worst other priors learn the background. LOSS may choose other ways to match and to
    compare; what differs from the official ones needs LEVELS, the priors' layout.
    """
    layout = levels or Levels((len(priors),), (0,), 1, 1)
    inputs = MatchingInputs(
        priors, layout, targets, overlap, predictions.boxes, predictions.logits, variances
    )
    face, positive = MATCHINGS[loss.assignment](inputs)
    chosen = select(positive)
    wanted = chosen.learnt(targets.boxes, face, corners_of(priors))
    scores = chosen.rows(widened(predictions.logits.detach())).softmax(-1)[..., 1]
    weights = weigh(chosen, scores, wanted, layout.side, loss)
    box = Matched(chosen.rows(predictions.boxes), wanted, chosen.priors(priors), variances)
    marked = chosen.narrowed(chosen.learnt(targets.marked, face))
    points = Matched(
        marked.rows(predictions.landmarks),
        marked.learnt(targets.landmarks, face),
        marked.priors(priors),
        variances,
    )
    return MultiBoxLosses(
        _mean(chosen, BOXES[loss.box](box, loss), weights),
        _face_loss(widened(predictions.logits), positive, chosen, box, weights, loss, negatives),
        _mean(marked, LANDMARKS[loss.landmark](points, loss), weights),
    )


def _mean(chosen: PriorSelection, values: Tensor, weights: Tensor | None) -> Tensor:
    """Return the sum of the CHOSEN of VALUES (..., n), weighted by WEIGHTS (B, P), per prior."""
    weighted = values if weights is None else values * chosen.rows(weights)[..., None]
    return chosen.total(weighted) / divisor(chosen.count, values)


def _face_loss(
    logits: Tensor,
    positive: Tensor,
    chosen: PriorSelection,
    box: Matched,
    weights: Tensor | None,
    loss: LossConfig,
    negatives: int,
) -> Tensor:
    """Return the loss of faces against background, per face prior."""
    counts = positive.sum(1)
    if loss.face in DENSE:
        quality = positive.to(logits.dtype)
        if loss.face == "quality-focal":
            decoded = decode(widened(box.predicted.detach()), box.priors, box.variances)
            quality = chosen.spread(paired_iou(decoded, box.wanted))
        values = DENSE[loss.face](logits, quality, loss)
        kept = torch.ones_like(positive)
    else:
        values = cross_entropy(logits, positive.long())
        kept = positive | hardest(values.detach().masked_fill(positive, 0.0), counts * negatives)
    if weights is not None:
        values = values * torch.where(positive, weights, 1.0)
    return torch.where(kept, values, 0.0).sum() / divisor(counts.sum(), values)


def hardest(values: Tensor, counts: Tensor) -> Tensor:
    """Mark (B, P) the COUNTS (B,) largest VALUES (B, P) of each row, at most P - 1."""
    counts = counts.clamp(max=values.shape[1] - 1)
    order = _falling(values, counts)  # (B, n)
    inside = torch.arange(order.shape[1], device=values.device) < counts[:, None]
    return torch.zeros_like(values, dtype=torch.bool).scatter_(1, order, inside)


def _falling(values: Tensor, counts: Tensor) -> Tensor:
    """Return (B, n) where the largest VALUES (B, P) are, largest first; n at least COUNTS (B,).

    How many are enough can be looked up on the CPU; elsewhere that would be waited for.
    """
    if looked_up(values.device):
        return values.topk(int(counts.max()) if len(counts) else 0, dim=1).indices
    return values.sort(dim=1, descending=True).indices
