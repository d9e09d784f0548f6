"""The one number that a step lowers, and the parts that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featherface.distillation import Teacher, distill, freeze
from featherface.losses.multibox import multibox
from featherface.priors import levels, priors

if TYPE_CHECKING:
    from torch import Tensor, nn

    from featherface.assignment import Targets
    from featherface.training.config import TrainConfig
    from featherface.variants import DetectorConfig


class Objective:
    """Ground truth's loss, and a teacher's where there is one."""

    def __init__(
        self,
        detector: DetectorConfig,
        config: TrainConfig,
        device: torch.device,
        teacher: Teacher | None = None,
    ) -> None:
        self.detector = detector
        self.config = config
        self.device = device
        self._kept: dict[int, Tensor] = {}
        self.teacher = teacher
        if teacher is not None:
            teacher.model.to(device)
            freeze(teacher)

    def __call__(
        self, model: nn.Module, images: Tensor, targets: Targets
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss to lower and, detached, it (`loss`) and each part before its weight."""
        config = self.config
        output = model(images)
        side = images.shape[-1]
        losses = multibox(
            output,
            self._priors(side),
            targets,
            variances=self.detector.variances,
            overlap=config.overlap,
            negatives=config.negatives,
            loss=config.loss,
            levels=levels(self.detector, side),
        )
        box, face, landmark = losses
        total = config.box_weight * box + face + config.landmark_weight * landmark
        parts = dict(zip(("box", "face", "landmark"), losses, strict=True))
        if self.teacher is not None:
            taught, more = self._taught(output, images)
            alpha = self.teacher.config.alpha
            total = (1 - alpha) * total + alpha * taught
            parts |= more
        return total, {name: value.detach() for name, value in {"loss": total, **parts}.items()}

    def _priors(self, side: int) -> Tensor:
        """Return the priors of pictures of SIDE pixels, kept on the device from then on."""
        if side not in self._kept:
            self._kept[side] = priors(self.detector, side, side).to(self.device)
        return self._kept[side]

    def _taught(self, output: object, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        if self.teacher is None:
            raise AssertionError
        config = self.teacher.config
        with torch.no_grad():
            shown = self.teacher.model(images)
        losses = distill(output, shown, config, self.config.negatives)  # type: ignore[arg-type]
        soft, box, landmark = losses
        total = soft + config.box_weight * box + config.landmark_weight * landmark
        parts = zip(("teacher_soft", "teacher_box", "teacher_landmark"), losses, strict=True)
        return total, dict(parts)
