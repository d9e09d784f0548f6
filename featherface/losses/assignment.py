"""The official assignment of faces to priors, for a whole batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from featherface.devices.uploads import uploaded
from featherface.geometry.boxes import corners_of
from featherface.losses.selection import looked_up

if TYPE_CHECKING:
    from torch import Tensor

LEAST_OVERLAP = 0.2
"""IoU below which a face's best prior is not forced to take it."""
LARGEST_TABLE = 40_000_000
"""Overlaps computed at once; a batch that needs more is matched in parts. On the CPU each picture
is matched for itself."""


class Targets(NamedTuple):
    """The faces of a batch, padded to the picture with the most (G)."""

    boxes: Tensor
    """(B, G, 4) corners in shares of width and height."""
    landmarks: Tensor
    """(B, G, 10) points in the same shares; zero where unknown."""
    faces: Tensor
    """(B, G) bool: a face, not padding."""
    marked: Tensor
    """(B, G) bool: its landmarks are known."""

    def to(self, device: torch.device) -> Targets:
        """Move to a device, in one copy that nobody waits for."""
        if device == self.boxes.device:
            return self
        flags = torch.stack((self.faces, self.marked), -1).to(self.boxes.dtype)
        packed = torch.cat((self.boxes, self.landmarks, flags), -1)  # (B, G, 16)
        there = uploaded(packed, device)
        return Targets(there[..., :4], there[..., 4:14], *(there[..., 14:] > 0).unbind(-1))


class Assignment(NamedTuple):
    """The face that each prior is matched with, and whether it is a positive."""

    face: Tensor
    """(B, P) index of the face in its picture."""
    positive: Tensor
    """(B, P) bool: trained as that face, otherwise as background."""


def assign(priors: Tensor, targets: Targets, overlap: float) -> Assignment:
    """Match PRIORS (P, 4; centre form) to the faces that they overlap by at least OVERLAP (IoU).

    Each face also takes its best prior, however small the overlap, from LEAST_OVERLAP on. Below
    that the official source still overwrites which face that prior belongs to (without making it
    positive); it is kept, as published weights were trained so.
    """
    batch, count = targets.faces.shape
    if batch and looked_up(priors.device):
        return _assign_each(priors, targets, overlap)
    part = max(1, LARGEST_TABLE // max(1, count * len(priors)))
    if part >= batch:
        return _assign(priors, targets, overlap)
    pieces = zip(*(torch.split(field, part) for field in targets), strict=True)
    matched = [_assign(priors, Targets(*piece), overlap) for piece in pieces]
    return Assignment(*(torch.cat(field) for field in zip(*matched, strict=True)))


def _assign_each(priors: Tensor, targets: Targets, overlap: float) -> Assignment:
    """Match picture by picture with its own faces: most have far fewer than the fullest one.

    Where faces can be counted without waiting, and small tables stay in the processor's cache.
    """
    places = torch.arange(1, targets.faces.shape[1] + 1)
    ends = (targets.faces * places).amax(1) if len(places) else targets.faces.sum(1)
    matched = [
        _assign(priors, Targets(*(field[row : row + 1, :end] for field in targets)), overlap)
        for row, end in enumerate(ends.tolist())
    ]
    return Assignment(*(torch.cat(field) for field in zip(*matched, strict=True)))


def _assign(priors: Tensor, targets: Targets, overlap: float) -> Assignment:
    batch, count = targets.faces.shape
    if count == 0:
        nothing = torch.zeros(batch, len(priors), dtype=torch.long, device=priors.device)
        return Assignment(nothing, nothing.bool())
    table = overlaps(targets.boxes, corners_of(priors))  # (B, G, P)
    table.masked_fill_(~targets.faces[:, :, None], -1.0)
    best_overlap, best_prior = table.max(2)  # (B, G)
    prior_overlap, face = table.max(1)  # (B, P)
    forced = targets.faces & (best_overlap >= LEAST_OVERLAP)
    prior_overlap = _scatter_largest(prior_overlap, best_prior, forced, forced * 2.0)
    order = torch.arange(count, device=priors.device).expand(batch, count)
    taken = _scatter_largest(torch.full_like(face, -1), best_prior, targets.faces, order)
    face = torch.where(taken >= 0, taken, face)
    positive = (prior_overlap >= overlap) & forced.any(1, keepdim=True)
    return Assignment(face, positive)


def _scatter_largest(into: Tensor, index: Tensor, chosen: Tensor, values: Tensor) -> Tensor:
    """Return INTO (B, P), raised at INDEX (B, G) to VALUES (B, G) where CHOSEN (B, G)."""
    spare = into.new_full((len(into), 1), -1)
    wide = torch.cat((into, spare), 1)  # what is not chosen lands in the spare column
    column = torch.where(chosen, index, into.shape[1])
    return wide.scatter_reduce_(1, column, values.to(into.dtype), "amax")[:, :-1]


def overlaps(boxes: Tensor, others: Tensor) -> Tensor:
    """Return the IoU (B, G, P) of BOXES (B, G, 4) with OTHERS (P, 4), all corners."""
    first, second = boxes[:, :, None, :], others[None, None]
    width = torch.minimum(first[..., 2], second[..., 2]).sub_(
        torch.maximum(first[..., 0], second[..., 0])
    )
    height = torch.minimum(first[..., 3], second[..., 3]).sub_(
        torch.maximum(first[..., 1], second[..., 1])
    )
    common = width.clamp_min_(0).mul_(height.clamp_min_(0))
    areas = (boxes[..., 2:] - boxes[..., :2]).prod(-1), (others[:, 2:] - others[:, :2]).prod(-1)
    union = (areas[0][:, :, None] + areas[1]).sub_(common).clamp_min_(1e-12)  # padding has none
    return common.div_(union)
