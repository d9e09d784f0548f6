"""How far a student's maps are from a teacher's.

In what they hold, in where they are strong, and from what the teacher sees at the next stride.
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
FAINT = 1e-3
"""Mean square below which a teacher's map holds nothing to be measured against."""


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
        lesson: DistillConfig,
        strong: Sequence[Tensor] = (),
    ) -> dict[str, Tensor]:
        """Return the distances that LESSON weighs, by the part's name, each a scalar.

        STUDENT and TEACHER are three maps (B,C,H,W), of equal heights and widths level by level.
        Where only `attention` of the teacher's is compared, STRONG may hold that instead.
        """
        parts = {}
        if lesson.feature_weight:
            pairs = zip(self.same, student, teacher, strict=True)
            parts["feature"] = _mean(
                missed(widened(adapt(own)), shown) for adapt, own, shown in pairs
            )
        if lesson.attention_weight:
            rows = zip(student, strong or map(attention, teacher), strict=True)
            parts["attention"] = _mean(unlike(attention(own), row) for own, row in rows)
        if lesson.cross_scale_weight:
            parts["cross_scale"] = _mean(
                missed(widened(adapt(student[own])), resized(teacher[shown], student[own]))
                for adapt, (own, shown) in zip(self.across, NEIGHBOURS, strict=True)
            )
        return parts


class Companions(nn.Module):
    """What is trained beside STUDENT: adapters, and how much each of TEACHERS is doubted."""

    def __init__(
        self, teachers: Sequence[Detector], student: Detector, config: DistillConfig
    ) -> None:
        super().__init__()
        width, aligned = student.config.channels, teachers if config.uses(*ALIGNED) else ()
        self.adapters = nn.ModuleList(
            Alignment(width, teacher.config.channels, config) for teacher in aligned
        )
        self.doubts = nn.Parameter(torch.zeros(len(teachers))) if config.learn_shares else None


def missed(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the share of the teacher's energy that the student misses.

    0 where both maps (B,C,H,W) are equal, 1 where the student's is silent: strong and weak maps
    weigh the same, down to those that are all but silent.
    """
    energy = averaged(teacher.square().mean()).clamp_min(FAINT)
    return functional.mse_loss(student, teacher) / energy


def apart(student: Tensor, teacher: Tensor) -> Tensor:
    """Return how differently the two maps are strong, from 0 to 2; their channels may differ.

    Attention transfer (Zagoruyko and Komodakis, 2017, https://arxiv.org/abs/1612.03928); the
    distance is squared, which keeps its gradient finite where the maps agree.
    """
    return unlike(attention(student), attention(teacher))


def unlike(student: Tensor, teacher: Tensor) -> Tensor:
    """Return `apart` of two maps' rows."""
    return (student - teacher).square().sum(1).mean()


def attention(maps: Tensor) -> Tensor:
    """Return where MAPS (B,C,H,W) are strong: (B,H*W), each row of length 1."""
    return functional.normalize(maps.square().mean(1).flatten(1))


def resized(maps: Tensor, like: Tensor) -> Tensor:
    """Return MAPS in the height and width of LIKE: averaged where larger, else repeated."""
    height, width = like.shape[-2:]
    if maps.shape[-2] > height:
        return functional.adaptive_avg_pool2d(maps, (height, width))
    return functional.interpolate(maps, size=(height, width), mode="nearest")


def _mean(values: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean()
