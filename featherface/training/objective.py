"""The training objective: the MultiBox loss, and the distillation loss where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.devices.uploads import uploaded
from featherface.geometry.priors import levels, priors
from featherface.losses.multibox import multibox
from featherface.training.distillation.distillation_loss import NetworkOutput
from featherface.training.optimization.precision import Precision, full

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import Tensor, nn

    from featherface.losses.assignment import Targets
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.distillation_loss import DistillationLoss
    from featherface.variants.config import DetectorConfig


class Objective:
    """The weighted sum of the losses that a step minimises."""

    def __init__(
        self,
        detector: DetectorConfig,
        config: TrainConfig,
        device: torch.device,
        distillation: DistillationLoss | None = None,
    ) -> None:
        self.detector = detector
        self.config = config
        self.device = device
        self.precision = Precision(device, config.amp)
        self._priors_by_side: dict[int, Tensor] = {}
        self.distillation = distillation

    def __call__(
        self, model: nn.Module, images: Tensor, targets: Targets, names: Sequence[bytes] = ()
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss to lower and, detached, it (`loss`) and each part before its weight.

        NAMES are the hashes of IMAGES (B,3,S,S), where teacher outputs are cached.
        """
        config = self.config
        student = self._forward(model, images)
        side = images.shape[-1]
        losses = multibox(
            student.output,
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
        if self.distillation is not None:
            total, more = self.distillation(total, images, student, names)
            parts |= more
        return total, {name: value.detach() for name, value in {"loss": total, **parts}.items()}

    def _priors(self, side: int) -> Tensor:
        """Return the priors of pictures of SIDE pixels, kept on the device from then on."""
        if side not in self._priors_by_side:
            on_cpu = priors(self.detector, side, side)
            self._priors_by_side[side] = uploaded(on_cpu, self.device)
        return self._priors_by_side[side]

    def _forward(self, model: nn.Module, images: Tensor) -> NetworkOutput:
        """Run MODEL on IMAGES in the training's precision; the output is in full precision."""
        with self.precision.computing():
            if self.distillation is None:
                return NetworkOutput(full(model(images)), ())
            with self.distillation.capture_maps() as maps:
                return NetworkOutput(full(model(images)), maps)
