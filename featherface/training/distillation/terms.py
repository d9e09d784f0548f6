"""Distillation losses between the raw outputs of a student and a teacher for the same pictures.

Logits are imitated softened by a temperature (Hinton et al., 2015,
https://arxiv.org/abs/1503.02531). Boxes and landmarks are imitated where the teacher is
confident, since its deltas mean nothing on the background.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch.nn import functional

from featherface.devices.all_reduce import divisor
from featherface.devices.dtypes import widened
from featherface.errors import UsageError
from featherface.losses.multibox import hardest
from featherface.losses.selection import select
from featherface.training.config.distill import DistillConfig

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from featherface.losses.multibox import RawPredictions
    from featherface.losses.selection import PriorSelection
    from featherface.networks.detector import Detector

BACKBONE = "backbone."
"""How the names of a detector's backbone weights begin."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """Frozen detectors to distil from, and the distillation's configuration."""

    model: nn.Module | None
    """The first; None where the student learns from its own average alone."""
    name: str
    """Whose weights these are, for records and messages: a run or a file."""
    config: DistillConfig = field(default_factory=DistillConfig)
    others: tuple[nn.Module, ...] = ()
    """Those that teach beside the first."""
    cache_folder: Path | None = None
    """Folder of cached outputs, which many trainings may share; None: one in the training's."""

    @property
    def models(self) -> tuple[Detector, ...]:
        """All of them."""
        first = () if self.model is None else (self.model,)
        return cast("tuple[Detector, ...]", (*first, *self.others))

    def keeps(self, views: int) -> bool:
        """Whether the teachers' outputs are cached, with so many VIEWS of each picture."""
        return bool(self.models) and self.config.keeps(views)

    def remembers(self, views: int) -> bool:
        """Whether outputs are kept by picture, so that batches need the pictures' hashes."""
        return self.keeps(views) or self.config.uses("temporal_weight")


class DistillLosses(NamedTuple):
    """The three parts before any weight, each a scalar."""

    soft: Tensor
    """Divergence from the teacher's softened scores, per confident prior."""
    box: Tensor
    """Smooth-L1 to the teacher's box deltas on its confident priors."""
    landmark: Tensor
    """Smooth-L1 to the teacher's landmark deltas on its confident priors."""


def freeze(teacher: Teacher) -> None:
    """Switch the teachers to evaluation, without gradients."""
    for model in teacher.models:
        model.eval()
        model.requires_grad_(False)


def distill(
    student: RawPredictions, teacher: RawPredictions, config: DistillConfig, negatives: int
) -> DistillLosses:
    """Compare the STUDENT's raw outputs with the TEACHER's on the same pictures.

    The scores are imitated where the teacher is confident and on NEGATIVES times as many priors
    of the picture where the two disagree most: the thousands of easy background priors would
    drown the rest.

    Raises:
        UsageError: the two have other priors.
    """
    if student.boxes.shape != teacher.boxes.shape:
        raise UsageError(
            f"the teacher predicts {teacher.boxes.shape[1]} priors for a picture,"
            f" the student {student.boxes.shape[1]}",
            "distil between variants with the same model.prior_sizes and model.prior_ratios",
        )
    score = widened(teacher.logits).softmax(-1)[..., 1]  # (B, P)
    sure = score >= config.confidence
    chosen = select(sure)
    return DistillLosses(
        _soft_loss(student.logits, teacher.logits, sure, config.temperature, negatives),
        _imitation(student.boxes, teacher.boxes, chosen),
        _imitation(student.landmarks, teacher.landmarks, chosen),
    )


def _soft_loss(
    student: Tensor, teacher: Tensor, sure: Tensor, temperature: float, negatives: int
) -> Tensor:
    """Kullback-Leibler divergence times T², which keeps its gradient's size whatever T is."""
    log_student = (widened(student) / temperature).log_softmax(-1)
    log_teacher = (widened(teacher) / temperature).log_softmax(-1)
    divergence = (log_teacher.exp() * (log_teacher - log_student)).sum(-1)  # (B, P)
    counts = sure.sum(1).clamp_min(1)
    apart = hardest(divergence.detach().masked_fill(sure, 0.0), counts * negatives)
    total = torch.where(sure | apart, divergence, 0.0).sum()
    return total * temperature**2 / divisor(counts.sum(), divergence)


def _imitation(student: Tensor, teacher: Tensor, chosen: PriorSelection) -> Tensor:
    own, wanted = chosen.rows(widened(student)), chosen.rows(widened(teacher))  # (..., 4 or 10)
    total = functional.smooth_l1_loss(own, wanted, reduction="sum")  # rows left out are both 0
    return total / divisor(chosen.count, total)


def start_from(student: nn.Module, teacher: nn.Module) -> list[str]:
    """Copy the teacher's backbone into STUDENT where name and shape agree; return the names."""
    given, own = teacher.state_dict(), student.state_dict()
    names = [
        name
        for name, value in own.items()
        if name.startswith(BACKBONE) and name in given and given[name].shape == value.shape
    ]
    with torch.no_grad():
        for name in names:
            own[name].copy_(given[name])
    return names
