"""Distances between the feature maps of a student and a teacher.

They compare features, spatial attention, and features across neighbouring strides.
Maps are compared through 1x1 convolutions (Romero et al., 2015, https://arxiv.org/abs/1412.6550)
that bring the student's channels to the teacher's. They are made once, trained with the student,
kept in its state file and left out of its weights.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from featherface.devices.all_reduce import averaged
from featherface.devices.dtypes import widened
from featherface.training.config.distill import ALIGNED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.training.config.distill import DistillConfig

LEVELS = 3
"""Maps that enter a detector's heads, at strides 8, 16 and 32."""
NEIGHBOURS = tuple(
    pair for pair in itertools.product(range(LEVELS), repeat=2) if abs(pair[0] - pair[1]) == 1
)
"""(student's level, teacher's level) of maps that differ by one stride."""
MIN_ENERGY = 1e-3
"""Least mean square of a teacher's map that an error is divided by."""


class Alignment(nn.Module):
    """The adapters between one teacher and its student, and the distances they allow.

    Args:
        student: channels of the student's maps.
        teacher: channels of the teacher's.
        config: says which distances are ever asked for; no other adapter is made.
    """

    def __init__(self, student: int, teacher: int, config: DistillConfig) -> None:
        super().__init__()
        count = LEVELS if config.uses("feature_weight") else 0
        self.same = nn.ModuleList(nn.Conv2d(student, teacher, 1) for _ in range(count))
        count = len(NEIGHBOURS) if config.uses("cross_scale_weight") else 0
        self.across = nn.ModuleList(nn.Conv2d(student, teacher, 1) for _ in range(count))

    def forward(
        self,
        student: Sequence[Tensor],
        teacher: Sequence[Tensor],
        phase: DistillConfig,
        attention_maps: Sequence[Tensor] = (),
    ) -> dict[str, Tensor]:
        """Return the distances that PHASE weighs, by the part's name, each a scalar.

        STUDENT and TEACHER are three maps (B,C,H,W), of equal heights and widths level by level.
        Where only `attention` of the teacher's is compared, ATTENTION_MAPS, (B,H*W) of each level,
        may stand in for its maps.
        """
        parts = {}
        if phase.feature_weight:
            pairs = zip(self.same, student, teacher, strict=True)
            parts["feature"] = _mean(
                relative_error(widened(adapt(own)), target) for adapt, own, target in pairs
            )
        if phase.attention_weight:
            rows = zip(student, attention_maps or map(attention, teacher), strict=True)
            parts["attention"] = _mean(attention_distance(attention(own), row) for own, row in rows)
        if phase.cross_scale_weight:
            parts["cross_scale"] = _mean(
                relative_error(widened(adapt(student[own])), resized(teacher[target], student[own]))
                for adapt, (own, target) in zip(self.across, NEIGHBOURS, strict=True)
            )
        return parts


class DistillationParameters(nn.Module):
    """Parameters trained beside STUDENT: adapters, and a log variance for each of TEACHERS."""

    def __init__(
        self, teachers: Sequence[Detector], student: Detector, config: DistillConfig
    ) -> None:
        super().__init__()
        width, aligned = student.config.channels, teachers if config.uses(*ALIGNED) else ()
        self.adapters = nn.ModuleList(
            Alignment(width, teacher.config.channels, config) for teacher in aligned
        )
        # Named as in the state files of earlier versions.
        self.doubts = nn.Parameter(torch.zeros(len(teachers))) if config.learn_shares else None

    @property
    def log_variances(self) -> nn.Parameter | None:
        """(T,) of the teachers' losses; None where their shares are given."""
        return self.doubts


def relative_error(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean squared error over the teacher's mean square, a scalar.

    0 where both maps (B,C,H,W) are equal, 1 where the student's is zero: maps of large and of
    small values weigh the same, down to a mean square of MIN_ENERGY.
    """
    energy = averaged(teacher.square().mean()).clamp_min(MIN_ENERGY)
    return functional.mse_loss(student, teacher) / energy


def attention_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the distance, 0 to 2, of what `attention` gave for two maps, (B,H*W) each.

    Attention transfer (Zagoruyko and Komodakis, 2017, https://arxiv.org/abs/1612.03928); the
    distance is squared, which keeps its gradient finite where the maps agree.
    """
    return (student - teacher).square().sum(1).mean()


def attention(maps: Tensor) -> Tensor:
    """Return the spatial attention of MAPS (B,C,H,W): mean squares, (B,H*W), rows of length 1."""
    return functional.normalize(maps.square().mean(1).flatten(1))


def resized(maps: Tensor, like: Tensor) -> Tensor:
    """Return MAPS in the height and width of LIKE: averaged where larger, else repeated."""
    height, width = like.shape[-2:]
    if maps.shape[-2] > height:
        return functional.adaptive_avg_pool2d(maps, (height, width))
    return functional.interpolate(maps, size=(height, width), mode="nearest")


def _mean(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
