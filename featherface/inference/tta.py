"""Several looks at one picture, scaled and mirrored, and what they saw put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch.nn import functional

from featherface.data.augmentation.transforms import MIRRORED_POINTS
from featherface.evaluation.config import PROTOCOLS
from featherface.geometry.detections import Detections
from featherface.geometry.suppression import group, suppress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from featherface.evaluation.config import EvaluateConfig


class Look(NamedTuple):
    """One way to look at pictures of one size."""

    width: int
    """Pixels, of the picture as it is."""
    height: int
    scale: float = 1.0
    mirrored: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of what the network sees; at least one."""
        return max(round(self.height * self.scale), 1), max(round(self.width * self.scale), 1)

    def show(self, pictures: Tensor) -> Tensor:
        """Scale and mirror PICTURES (B, 3, height, width).

        Interpolated between the four nearest pixels, without smoothing before a reduction, as the
        published programs do it by OpenCV.
        """
        if self.size != (self.height, self.width):
            pictures = functional.interpolate(
                pictures, self.size, mode="bilinear", align_corners=False
            )
        return pictures.flip(-1) if self.mirrored else pictures

    def back(self, seen: Detections) -> Detections:
        """Give what was SEEN in this look as it lies in the picture; left is left again."""
        height, width = self.size
        factor = np.array([self.width / width, self.height / height], dtype=np.float32)
        boxes = seen.boxes * np.tile(factor, 2) if self.scale != 1 else seen.boxes
        landmarks = seen.landmarks * np.tile(factor, 5) if self.scale != 1 else seen.landmarks
        if self.mirrored:
            boxes, landmarks = boxes.copy(), landmarks.copy()
            boxes[:, [0, 2]] = self.width - boxes[:, [2, 0]]
            landmarks[:, ::2] = self.width - landmarks[:, ::2]
            landmarks = landmarks[:, MIRRORED_POINTS]
        return Detections(boxes, seen.scores, landmarks)


def looks(evaluate: EvaluateConfig, width: int, height: int) -> list[Look]:
    """List the looks that EVALUATE asks for at a picture of WIDTH x HEIGHT pixels."""
    scales = PROTOCOLS[evaluate.protocol].scales(width, height)
    sides = (False, True) if evaluate.flip else (False,)
    return [Look(width, height, scale, mirrored) for scale in scales for mirrored in sides]


def merge(seen: Sequence[Detections], evaluate: EvaluateConfig) -> Detections:
    """Put together what all looks saw in one picture: duplicates go, or vote on their box."""
    found = _joined(seen)
    if evaluate.voting:
        found = vote(found, evaluate.nms_threshold)
        kept = np.arange(len(found))
    else:
        kept = suppress(found.boxes, found.scores, evaluate.nms_threshold)
    kept = kept[: evaluate.max_detections or None]
    return Detections(found.boxes[kept], found.scores[kept], found.landmarks[kept])


def vote(found: Detections, threshold: float) -> Detections:
    """Replace each box, and its landmarks, by the mean of those it suppresses at THRESHOLD.

    Box voting as in Gidaris and Komodakis (2015), https://arxiv.org/abs/1505.01749, weighted by
    score; the highest score stays. A box that suppresses none stays as it is (RetinaFace's program
    does so, S3FD's drops it), and landmarks vote as boxes do.
    """
    leaders, member = np.unique(group(found.boxes, found.scores, threshold), return_inverse=True)
    weights = found.scores.astype(np.float64)
    total = np.bincount(member, weights, minlength=len(leaders))
    places = np.hstack([found.boxes, found.landmarks])
    sums = np.zeros((len(leaders), places.shape[1]))
    np.add.at(sums, member, places * weights[:, None])
    mean = np.where(total[:, None] > 0, sums / np.maximum(total, 1e-12)[:, None], places[leaders])
    order = np.argsort(-found.scores[leaders], kind="stable")
    mean = mean[order].astype(np.float32)
    return Detections(mean[:, :4], found.scores[leaders][order], mean[:, 4:])


def _joined(seen: Sequence[Detections]) -> Detections:
    if len(seen) == 1:
        return seen[0]
    return Detections(
        np.concatenate([one.boxes for one in seen]),
        np.concatenate([one.scores for one in seen]),
        np.concatenate([one.landmarks for one in seen]),
    )
