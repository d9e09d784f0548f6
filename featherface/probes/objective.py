"""Probes of what a training lowers: assignment, loss parts, and what teachers add to them."""

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
from featherface.probes.scenes import SIDE, Scripted, answers, targets
from featherface.training.distillation.distillation_loss import DistillationLoss
from featherface.training.distillation.teacher_outputs import decode, encode
from featherface.training.distillation.temporal_ensemble import OUTPUTS, TemporalEnsemble
from featherface.training.distillation.terms import Teacher, start_from
from featherface.training.objective import Objective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from featherface.probes.numbers import Values
    from featherface.probes.settings import Settings
    from featherface.training.config.distill import DistillConfig
    from featherface.training.config.train import TrainConfig

CPU = torch.device("cpu")
VIEWS = 4
"""Of each picture, where earlier outputs are compared."""


def assignment(settings: Settings) -> Values:
    """Give which priors learn which of some faces."""
    near = priors(settings.model, SIDE, SIDE).double()
    output = answers("student", len(near))
    train = settings.train
    face, positive = MATCHINGS[train.loss.assignment](
        MatchingInputs(
            near,
            levels(settings.model, SIDE),
            targets(),
            train.overlap,
            output.boxes,
            output.logits,
            settings.model.variances,
        )
    )
    learnt = torch.where(positive, face + 1, 0)
    return [float(positive.sum()), *summary(learnt)]


def loss(settings: Settings) -> Values:
    """Give the weighted total, each part that counts, and the gradient of each output."""
    count = len(priors(settings.model, SIDE, SIDE))
    raw = answers("student", count)
    leaves = type(raw)(*(one.requires_grad_() for one in raw))
    objective = Objective(settings.model, settings.train, CPU)
    total, parts = objective(lambda _images: leaves, _images(), targets())  # type: ignore[arg-type]
    total.backward()  # type: ignore[no-untyped-call]
    gradients = [one.grad for one in leaves if one.grad is not None]
    return [
        *_counting(parts, settings.train),
        *(number for one in gradients for number in summary(one)),
    ]


def _counting(parts: dict[str, Tensor], config: TrainConfig) -> Iterator[float]:
    """Yield PARTS of the loss by name, without those that have no weight."""
    idle = {
        *(() if config.box_weight else ("box",)),
        *(() if config.landmark_weight else ("landmark",)),
    }
    yield from (float(parts[name]) for name in sorted(parts) if name not in idle)


def distillation(settings: Settings) -> Values:
    """Give the total and the parts that teachers and the student's past add, in every phase."""
    lesson = dataclasses.replace(settings.distill, cache=False)
    count = len(priors(settings.model, SIDE, SIDE))
    student = Scripted(settings.model, "student", count)
    teachers = [
        Scripted(settings.model, f"teacher {place}", count)
        for place in range(lesson.taught + len(lesson.teachers))
    ]
    teacher = Teacher(teachers[0] if teachers else None, "", lesson, tuple(teachers[1:]))
    taken = start_from(student, teachers[0]) if teachers and lesson.init_backbone else []
    config = dataclasses.replace(settings.train, views=VIEWS)
    teaching = DistillationLoss(teacher, student, config, CPU)  # type: ignore[arg-type]
    teaching.learned.double()
    objective = Objective(settings.model, config, CPU, teaching)
    values = [float(len(taken))]
    if teachers and settings.distill.keeps(settings.train.views):
        values += summaries(decode(encode(answers("teacher 0", count), (), lesson.confidence), CPU))
    with tempfile.TemporaryDirectory() as folder, wide():
        if lesson.uses("temporal_weight"):
            path = Path(folder) / OUTPUTS
            teaching.ensemble = TemporalEnsemble(path, lesson.temporal_decay, lesson.confidence)
        for epoch in _epochs(lesson, config.epochs):
            values += _lesson(objective, teaching, student, epoch)
    return values


def _epochs(lesson: DistillConfig, epochs: int) -> list[int]:
    """Return an epoch, from 0, of each phase; without phases two."""
    ends = [0.0, *(phase.until for phase in lesson.phases)]
    middles = [int((first + last) / 2 * epochs) for first, last in itertools.pairwise(ends)]
    return middles or [0, 1]


def _lesson(
    objective: Objective, teaching: DistillationLoss, student: Scripted, epoch: int
) -> Values:
    """Give what a step in EPOCH says, and what it would change."""
    teaching.begin_epoch(epoch, 10 * epoch)
    student.zero_grad()
    total, parts = objective(student, _images(), targets(), [b"first", b"second"])
    total.backward()  # type: ignore[no-untyped-call]
    assert student.backbone.weight.grad is not None  # noqa: S101 - the total follows from it
    turned = float(student.backbone.weight.grad.sum())
    with torch.no_grad():
        student.backbone.weight += 0.05
    teaching.update(10 * epoch + 1)
    teaching.flush()
    counting = (name for name in sorted(parts) if _weighed(name, teaching.phase))
    return [float(total.detach()), turned, *(float(parts[name]) for name in counting)]


def _weighed(part: str, lesson: DistillConfig) -> bool:
    """Whether PART is one of LESSON's that has a weight, such as `teacher_soft`."""
    _, _, name = part.partition("_")
    return bool(name) and bool(getattr(lesson, f"{name}_weight", 1))


def _images() -> Tensor:
    return torch.zeros(2, 3, SIDE, SIDE)
