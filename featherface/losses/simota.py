"""SimOTA: dynamic-k assignment, by the cost of what the network predicts already.

YOLOX: Ge et al., 2021, https://arxiv.org/abs/2107.08430. As there, a face takes as many priors as
the ten best overlaps add up to, at least one. Differs: a prior that several faces want goes to
the cheapest of those alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featherface.devices.dtypes import widened
from featherface.geometry.boxes import decode
from featherface.losses import assignment
from featherface.losses.assignment import Assignment, Targets
from featherface.losses.overlap import paired_iou

if TYPE_CHECKING:
    from torch import Tensor

    from featherface.geometry.priors import Levels

RADIUS = 2.5
"""Distance in strides from a face's centre up to which a prior's centre is a candidate."""
BEST = 10
"""Overlaps that decide how many priors a face takes; none takes more."""
OVERLAP_COST, OUTSIDE_COST = 3.0, 1e5
"""Weight of -log IoU, and what is added where a prior lies outside the face or its middle."""


def assign_simota(
    priors: Tensor,
    levels: Levels,
    targets: Targets,
    boxes: Tensor,
    logits: Tensor,
    variances: tuple[float, float],
) -> Assignment:
    """Match PRIORS (P, 4) by what they predict: BOXES (B, P, 4) deltas, LOGITS (B, P, 2)."""
    batch, count = targets.faces.shape
    if count == 0:
        nothing = torch.zeros(batch, len(priors), dtype=torch.long, device=priors.device)
        return Assignment(nothing, nothing.bool())
    reach = levels.strides(priors.device)[:, None] * RADIUS  # (P, 1)
    decoded = decode(widened(boxes.detach()), priors, variances)
    face_cost = -widened(logits.detach()).log_softmax(-1)[..., 1]  # (B, P)
    part = max(1, assignment.LARGEST_TABLE // (count * len(priors) * 4))
    pieces = zip(
        *(torch.split(field, part) for field in (*targets, decoded, face_cost)), strict=True
    )
    matched = [_assign(priors, reach, Targets(*piece[:4]), *piece[4:]) for piece in pieces]
    return Assignment(*(torch.cat(field) for field in zip(*matched, strict=True)))


def _assign(
    priors: Tensor, reach: Tensor, targets: Targets, boxes: Tensor, face_cost: Tensor
) -> Assignment:
    overlap = paired_iou(targets.boxes[:, :, None], boxes[:, None])  # (B, G, P)
    inside, central = _near(priors, reach, targets.boxes)
    inside &= targets.faces[:, :, None]
    central &= targets.faces[:, :, None]
    candidate = (inside | central).any(1, keepdim=True)  # (B, 1, P), whoever's
    overlap = overlap.masked_fill(~candidate, 0.0)
    cost = face_cost[:, None] - OVERLAP_COST * (overlap + 1e-8).log()
    cost = cost + OUTSIDE_COST * ~(inside & central)
    cost = cost.masked_fill(~candidate | ~targets.faces[:, :, None], torch.inf)
    most = min(BEST, len(priors))
    takes = overlap.topk(most).values.sum(-1).int().clamp_min(1)  # (B, G)
    cheapest = cost.topk(most, largest=False)
    chosen = torch.arange(most, device=cost.device) < takes[..., None]
    chosen &= cheapest.values.isfinite()
    wanted = torch.full_like(cost, torch.inf).scatter_(
        2, cheapest.indices, torch.where(chosen, cheapest.values, torch.inf)
    )
    least, face = wanted.min(1)
    return Assignment(torch.where(least.isfinite(), face, 0), least.isfinite())


def _near(priors: Tensor, reach: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Tell (B, G, P) which prior centres lie in the box, and which near its centre."""
    points = priors[None, None, :, :2]
    inside = (points > boxes[:, :, None, :2]) & (points < boxes[:, :, None, 2:])
    centres = (boxes[..., :2] + boxes[..., 2:])[:, :, None] / 2
    return inside.all(-1), ((points - centres).abs() < reach).all(-1)
