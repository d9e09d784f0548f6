"""ATSS: each face sets its own threshold (Zhang et al., 2019, https://arxiv.org/abs/1912.02424).

Differs: the nearest positions of each level are taken with all their priors, since the published
form knows one prior per position; and a face that nothing passes takes its best candidate, since
faces are often smaller than the distance between two positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featherface.geometry.boxes import corners_of
from featherface.losses.assignment import Assignment
from featherface.losses.overlap import paired_iou

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.geometry.priors import Levels
    from featherface.losses.assignment import Targets

NEAREST = 9
"""Positions of each level that are candidates for a face."""


def assign_atss(priors: Tensor, levels: Levels, targets: Targets) -> Assignment:
    """Match PRIORS (P, 4; centre form), laid out as LEVELS says, to the faces of a batch."""
    batch, count = targets.faces.shape
    if count == 0:
        nothing = torch.zeros(batch, len(priors), dtype=torch.long, device=priors.device)
        return Assignment(nothing, nothing.bool())
    candidates = _candidates(priors, levels, targets.boxes)  # (B, G, K)
    overlap = paired_iou(targets.boxes[:, :, None], corners_of(priors)[candidates])
    spread = overlap.std(-1, keepdim=True) if overlap.shape[-1] > 1 else 0.0
    passing = overlap >= overlap.mean(-1, keepdim=True) + spread
    passing &= _inside(priors[candidates][..., :2], targets.boxes[:, :, None])
    best = overlap == overlap.max(-1, keepdim=True).values
    passing |= best & ~passing.any(-1, keepdim=True)
    passing &= targets.faces[:, :, None]
    return _settle(candidates, torch.where(passing, overlap, -1.0), len(priors))


def _candidates(priors: Tensor, levels: Levels, boxes: Tensor) -> Tensor:
    """Return (B, G, K) the priors at the positions nearest to the centres of BOXES (B, G, 4)."""
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    candidates, first = [], 0
    for count in levels.counts:
        places = priors[first : first + count : levels.anchors, :2]  # one prior of each position
        apart = torch.cdist(centres, places[None].expand(len(boxes), -1, -1))
        near = apart.topk(min(NEAREST, len(places)), largest=False).indices * levels.anchors
        every = near[..., None] + torch.arange(levels.anchors, device=priors.device)
        candidates.append(first + every.flatten(-2))
        first += count
    return torch.cat(candidates, -1)


def _inside(points: Tensor, boxes: Tensor) -> Tensor:
    return ((points > boxes[..., :2]) & (points < boxes[..., 2:])).all(-1)


def _settle(candidates: Tensor, overlap: Tensor, count: int) -> Assignment:
    """Give each of COUNT priors to the face that it overlaps most; -1 in OVERLAP is no match."""
    batch, faces, _ = candidates.shape
    index, value = candidates.flatten(1), overlap.flatten(1)
    best = value.new_full((batch, count), -1.0).scatter_reduce_(1, index, value, "amax")
    order = torch.arange(faces, device=index.device)[:, None].expand(candidates.shape[1:])
    order = order.reshape(1, -1).expand_as(index)
    winning = torch.where((value >= 0) & (value == best.gather(1, index)), order, -1)
    face = index.new_full((batch, count), -1).scatter_reduce_(1, index, winning, "amax")
    return Assignment(face.clamp_min(0), face >= 0)
