"""Probes of the training objective: assignment, loss parts, distillation terms."""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from featherface.geometry.priors import levels, priors
from featherface.losses.matching import MATCHINGS, MatchingInputs
from featherface.probes.isolation import wide
from featherface.probes.numbers import summaries, summary
from featherface.probes.scenes import SIDE, ScriptedDetector, raw_outputs, targets
from featherface.training.distillation.distillation_loss import DistillationLoss
from featherface.training.distillation.teacher_outputs import decode, encode
from featherface.training.distillation.temporal_ensemble import OUTPUTS, TemporalEnsemble
from featherface.training.distillation.terms import Teacher, start_from
from featherface.training.objective import Objective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings
    from featherface.training.config.distill import DistillConfig
    from featherface.training.config.train import TrainConfig

CPU = torch.device("cpu")
VIEWS = 4
"""Views of each picture, where the temporal ensemble keeps outputs of each."""


def assignment(settings: ProbeSettings) -> Values:
    """Return which priors are assigned to which face."""
    boxes = priors(settings.model, SIDE, SIDE).double()  # (P, 4)
    output = raw_outputs("student", len(boxes))
    train = settings.train
    face, positive = MATCHINGS[train.loss.assignment](
        MatchingInputs(
            boxes,
            levels(settings.model, SIDE),
            targets(),
            train.overlap,
            output.boxes,
            output.logits,
            settings.model.variances,
        )
    )
    assigned = torch.where(positive, face + 1, 0)
    return [float(positive.sum()), *summary(assigned)]


def loss(settings: ProbeSettings) -> Values:
    """Return each part of the loss that has a weight, and the gradient of each raw output."""
    count = len(priors(settings.model, SIDE, SIDE))
    raw = raw_outputs("student", count)
    leaves = type(raw)(*(output.requires_grad_() for output in raw))
    objective = Objective(settings.model, settings.train, CPU)
    total, parts = objective(lambda _images: leaves, _images(), targets())  # type: ignore[arg-type]
    total.backward()  # type: ignore[no-untyped-call]
    gradients = [leaf.grad for leaf in leaves if leaf.grad is not None]
    return [
        *_weighted_parts(parts, settings.train),
        *(number for gradient in gradients for number in summary(gradient)),
    ]


def _weighted_parts(parts: dict[str, Tensor], config: TrainConfig) -> Iterator[float]:
    """Yield PARTS of the loss by name, without those that have no weight."""
    idle = {
        *(() if config.box_weight else ("box",)),
        *(() if config.landmark_weight else ("landmark",)),
    }
    yield from (float(parts[name]) for name in sorted(parts) if name not in idle)


def distillation(settings: ProbeSettings) -> Values:
    """Return the total and the distillation terms of a step in every phase."""
    distill = dataclasses.replace(settings.distill, cache=False)
    count = len(priors(settings.model, SIDE, SIDE))
    student = ScriptedDetector(settings.model, "student", count)
    teachers = [
        ScriptedDetector(settings.model, f"teacher {index}", count)
        for index in range(distill.taught + len(distill.teachers))
    ]
    teacher = Teacher(teachers[0] if teachers else None, "", distill, tuple(teachers[1:]))
    initialised = start_from(student, teachers[0]) if teachers and distill.init_backbone else []
    config = dataclasses.replace(settings.train, views=VIEWS)
    distillation_loss = DistillationLoss(teacher, student, config, CPU)  # type: ignore[arg-type]
    distillation_loss.learned.double()
    objective = Objective(settings.model, config, CPU, distillation_loss)
    values = [float(len(initialised))]
    if teachers and settings.distill.keeps(settings.train.views):
        values += summaries(
            decode(encode(raw_outputs("teacher 0", count), (), distill.confidence), CPU)
        )
    with tempfile.TemporaryDirectory() as folder, wide():
        if distill.uses("temporal_weight"):
            path = Path(folder) / OUTPUTS
            distillation_loss.ensemble = TemporalEnsemble(
                path, distill.temporal_decay, distill.confidence
            )
        for epoch in _epochs(distill, config.epochs):
            values += _distillation_step(objective, distillation_loss, student, epoch)
    return values


def _epochs(distill: DistillConfig, epochs: int) -> list[int]:
    """Return an epoch, from 0, of each phase; without phases two."""
    ends = [0.0, *(phase.until for phase in distill.phases)]
    middles = [int((first + last) / 2 * epochs) for first, last in itertools.pairwise(ends)]
    return middles or [0, 1]


def _distillation_step(
    objective: Objective, distillation_loss: DistillationLoss, student: ScriptedDetector, epoch: int
) -> Values:
    """Return total, backbone gradient and terms of one step in EPOCH, which moves the weights."""
    distillation_loss.begin_epoch(epoch, 10 * epoch)
    student.zero_grad()
    total, parts = objective(student, _images(), targets(), [b"first", b"second"])
    total.backward()  # type: ignore[no-untyped-call]
    assert student.backbone.weight.grad is not None  # noqa: S101 - the total follows from it
    gradient = float(student.backbone.weight.grad.sum())
    with torch.no_grad():
        student.backbone.weight += 0.05
    distillation_loss.update(10 * epoch + 1)
    distillation_loss.flush()
    counting = (name for name in sorted(parts) if _has_weight(name, distillation_loss.phase))
    return [float(total.detach()), gradient, *(float(parts[name]) for name in counting)]


def _has_weight(part: str, distill: DistillConfig) -> bool:
    """Whether PART is one of DISTILL's that has a weight, such as `teacher_soft`."""
    _, _, name = part.partition("_")
    return bool(name) and bool(getattr(distill, f"{name}_weight", 1))


def _images() -> Tensor:
    return torch.zeros(2, 3, SIDE, SIDE)
