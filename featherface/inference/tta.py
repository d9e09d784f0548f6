"""Test-time augmentation: scaled and mirrored views of a picture, their detections merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from featherface.data.augmentation.transforms import MIRRORED_POINTS
from featherface.evaluation.config import PROTOCOLS
from featherface.geometry.detections import Detections
from featherface.geometry.suppression import group, suppress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featherface.evaluation.config import EvaluateConfig


class View(NamedTuple):
    """One scale and orientation at which pictures of one size are shown to the network."""

    width: int
    """Pixels, of the picture as it is."""
    height: int
    scale: float = 1.0
    mirrored: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of what the network sees; at least one."""
        return max(round(self.height * self.scale), 1), max(round(self.width * self.scale), 1)

    def apply(self, pictures: Tensor) -> Tensor:
        """Scale and mirror PICTURES (B, 3, height, width).

        Interpolated between the four nearest pixels, without smoothing before a reduction, as the
        published programs do it by OpenCV.
        """
        if self.size != (self.height, self.width):
            pictures = functional.interpolate(
                pictures, self.size, mode="bilinear", align_corners=False
            )
        return pictures.flip(-1) if self.mirrored else pictures

    @property
    def halves(self) -> bool:
        """Whether it shows no more than half of the picture's width and height."""
        height, width = self.size
        return 2 * height <= self.height and 2 * width <= self.width

    def sampled(self, pixels: Tensor) -> Tensor:
        """Scale and mirror PIXELS (B, height, width, 3; uint8) to float32 of the same layout.

        As `apply`, but from those pixels alone that lie around the wanted places: a picture of 144
        megapixels takes gigabytes as float32.
        """
        (tops, bottoms, down), (lefts, rights, right) = (
            _neighbours(length, wanted, pixels.device)
            for length, wanted in zip((self.height, self.width), self.size, strict=True)
        )
        right = right[:, None]
        upper, lower = (
            torch.lerp(rows[:, :, lefts].float(), rows[:, :, rights].float(), right)
            for rows in (pixels[:, tops], pixels[:, bottoms])
        )
        seen = torch.lerp(upper, lower, down[:, None, None])
        return seen.flip(2) if self.mirrored else seen

    def undo(self, detections: Detections) -> Detections:
        """Return DETECTIONS of this view in pixels of the picture; left eyes are left again."""
        height, width = self.size
        factor = np.array([self.width / width, self.height / height], dtype=np.float32)
        boxes, landmarks = detections.boxes, detections.landmarks
        if self.scale != 1:
            boxes, landmarks = boxes * np.tile(factor, 2), landmarks * np.tile(factor, 5)
        if self.mirrored:
            boxes, landmarks = boxes.copy(), landmarks.copy()
            boxes[:, [0, 2]] = self.width - boxes[:, [2, 0]]
            landmarks[:, ::2] = self.width - landmarks[:, ::2]
            landmarks = landmarks[:, MIRRORED_POINTS]
        return Detections(boxes, detections.scores, landmarks)


def views(evaluate: EvaluateConfig, width: int, height: int) -> list[View]:
    """List the views that EVALUATE asks for at a picture of WIDTH x HEIGHT pixels."""
    scales = PROTOCOLS[evaluate.protocol].scales(width, height)
    sides = (False, True) if evaluate.flip else (False,)
    return [View(width, height, scale, mirrored) for scale in scales for mirrored in sides]


def _neighbours(length: int, wanted: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Return for each of WANTED places along LENGTH pixels both neighbours and the second's share.

    In float32, as `torch.nn.functional.interpolate` finds them.
    """
    places = torch.arange(wanted, dtype=torch.float32, device=device)
    places = ((places + 0.5) * (length / wanted) - 0.5).clamp_min(0)
    before = places.long().clamp_max(length - 1)
    return before, (before + 1).clamp_max(length - 1), places - before


def merge(parts: Sequence[Detections], evaluate: EvaluateConfig) -> Detections:
    """Merge the detections of all views of one picture: duplicates go, or vote on their box."""
    joined = _joined(parts)
    if evaluate.voting:
        joined = vote(joined, evaluate.nms_threshold)
        order = np.arange(len(joined))
    else:
        order = suppress(joined.boxes, joined.scores, evaluate.nms_threshold)
    order = order[: evaluate.max_detections or None]
    return Detections(joined.boxes[order], joined.scores[order], joined.landmarks[order])


def vote(detections: Detections, threshold: float) -> Detections:
    """Replace each box, and its landmarks, by the mean of those it suppresses at THRESHOLD.

    Box voting as in Gidaris and Komodakis (2015), https://arxiv.org/abs/1505.01749, weighted by
    score; the highest score stays. A box that suppresses none stays as it is (RetinaFace's program
    does so, S3FD's drops it), and landmarks vote as boxes do.
    """
    leaders, member = np.unique(
        group(detections.boxes, detections.scores, threshold), return_inverse=True
    )
    weights = detections.scores.astype(np.float64)
    total = np.bincount(member, weights, minlength=len(leaders))
    places = np.hstack([detections.boxes, detections.landmarks])
    sums = np.zeros((len(leaders), places.shape[1]))
    np.add.at(sums, member, places * weights[:, None])
    mean = np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], places[leaders])
    order = np.argsort(-detections.scores[leaders], kind="stable")
    mean = mean[order].astype(np.float32)
    return Detections(mean[:, :4], detections.scores[leaders][order], mean[:, 4:])


def _joined(parts: Sequence[Detections]) -> Detections:
    if len(parts) == 1:
        return parts[0]
    return Detections(
        np.concatenate([detections.boxes for detections in parts]),
        np.concatenate([detections.scores for detections in parts]),
        np.concatenate([detections.landmarks for detections in parts]),
    )
